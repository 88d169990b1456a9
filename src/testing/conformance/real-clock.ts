import { type Runtime, systemRuntime } from 'obverse'

/** The machine's time, which a case can move forward: what is due by then is due at once. */
export interface MovableRuntime extends Runtime {
  skip(ms: number): void
  /** From now on no timer runs: the process is as good as dead, or stopped. */
  freeze(): void
  /** What was stopped goes on: a zombie. */
  thaw(): void
}

interface Waiting {
  readonly at: number
  readonly work: () => void
  cancel: () => void
}

/**
 * Real waiting, because stores have I/O of their own, on clocks that can be moved. Runtimes made with one `base` share
 * their clocks, as processes of one machine do.
 */
export function movableRuntime(
  options: Pick<Runtime, 'reach' | 'without'> = {},
  base: { offset: number; readonly all: Set<() => void> } = { offset: 0, all: new Set() },
): MovableRuntime {
  const waiting = new Set<Waiting>()
  let frozen = false
  const elapsed = () => systemRuntime.elapsed() + base.offset
  const start = (timer: Waiting) => {
    timer.cancel = systemRuntime.after(Math.max(0, timer.at - elapsed()), () => {
      if (frozen) return
      waiting.delete(timer)
      timer.work()
    })
  }
  const restart = () => {
    for (const timer of waiting) {
      timer.cancel()
      start(timer)
    }
  }
  base.all.add(restart)
  return {
    now: () => systemRuntime.now() + base.offset,
    elapsed,
    id: systemRuntime.id,
    random: systemRuntime.random,
    after(ms, work) {
      const timer: Waiting = { at: elapsed() + ms, work, cancel: () => {} }
      waiting.add(timer)
      start(timer)
      return () => {
        timer.cancel()
        waiting.delete(timer)
      }
    },
    ...options,
    skip(ms) {
      base.offset += ms
      for (const one of base.all) one()
    },
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
      restart()
    },
  }
}
