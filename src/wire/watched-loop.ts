import { createLoop, type Loop, type LoopOptions } from '../runtime/loop.ts'
import type { Observer } from '../runtime/observer.ts'
import { reasonOf } from './failure.ts'

/** A loop whose failures are reported as outages of `name`, and its first success after them as recovered. */
export function watchedLoop({ observe, ...options }: Omit<LoopOptions, 'onError'> & { observe: Observer }): Loop {
  const { name: part, step } = options
  let failures = 0
  return createLoop({
    ...options,
    async step() {
      const more = await step()
      if (failures > 0) observe({ step: 'recovered', part })
      failures = 0
      return more
    },
    onError(error) {
      failures += 1
      observe({ step: 'outage', part, reason: reasonOf(error), failures })
    },
  })
}
