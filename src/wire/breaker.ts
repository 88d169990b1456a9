import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { outageDelay } from '../runtime/retry.ts'
import { reasonOf } from './failure.ts'

/**
 * Pauses a whole consumer while something below it is unreachable. The first work that finds the outage tries again,
 * alone, backing off from 50 ms to 5 s, without end; everything else waits until it got through.
 */
export interface Breaker {
  /** Nothing new may start. */
  readonly tripped: boolean
  /** `by` has met an outage. Resolves when it should try again; false: the consumer leaves. */
  trip(by: object, error: unknown): Promise<boolean>
  /** `by` got through. Only that of the work that tries counts. */
  mend(by: object): void
  /** The consumer leaves: everybody who waits is told so. */
  stop(): void
}

export interface BreakerOptions {
  readonly part: string
  readonly runtime: Runtime
  readonly observe: Observer
  readonly onMended: () => void
}

export function createBreaker({ part, runtime, observe, onMended }: BreakerOptions): Breaker {
  const leaving = new AbortController()
  let trying: object | undefined
  let failures = 0
  let waiting: ((again: boolean) => void)[] = []

  const release = (again: boolean) => {
    const all = waiting
    waiting = []
    for (const resolve of all) resolve(again)
  }
  return {
    get tripped() {
      return trying !== undefined
    },
    async trip(by, error) {
      if (leaving.signal.aborted) return false
      trying ??= by
      if (trying !== by) return new Promise((resolve) => waiting.push(resolve))
      failures += 1
      observe({ step: 'outage', part, reason: reasonOf(error), failures })
      await sleep(runtime, outageDelay(failures, runtime.random), leaving.signal)
      return !leaving.signal.aborted
    },
    mend(by) {
      if (trying !== by) return
      trying = undefined
      failures = 0
      observe({ step: 'recovered', part })
      release(true)
      onMended()
    },
    stop() {
      leaving.abort()
      release(false)
    },
  }
}
