import { kindOf, ObverseError } from '../errors.ts'
import type { Runtime } from '../runtime/clock.ts'

/** Milliseconds a handler gets to notice that its signal was aborted, before nobody waits for it any more. */
export const GRACE = 5_000

/**
 * Times for handlers, with one timer for all of them.
 *
 * When its time is up a handler's signal is aborted; what it then throws counts as `HANDLER_TOO_SLOW`. If it commits
 * all the same, it has committed. If it does neither within the grace period it is given up as too slow; a commit
 * that comes later still finds the inbox mark or the settlement of whoever handled the message since.
 */
export interface Deadlines {
  run<T>(ms: number, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Aborts everything that runs: the process drains for too long. */
  abort(reason: Error): void
  /** Nobody waits for what still runs: it is rejected with the reason of its abort. */
  giveUp(): void
}

interface Running {
  at: number
  readonly what: string
  readonly ms: number
  readonly controller: AbortController
  readonly reject: (error: unknown) => void
}

export function createDeadlines(runtime: Runtime): Deadlines {
  const running = new Set<Running>()
  let armedFor = Number.POSITIVE_INFINITY
  let cancel: () => void = () => {}

  const arm = (at: number) => {
    if (at >= armedFor) return
    cancel()
    armedFor = at
    cancel = runtime.after(Math.max(0, at - runtime.elapsed()), tick)
  }
  const disarm = () => {
    cancel()
    cancel = () => {}
    armedFor = Number.POSITIVE_INFINITY
  }
  const tick = () => {
    armedFor = Number.POSITIVE_INFINITY
    const now = runtime.elapsed()
    let next = Number.POSITIVE_INFINITY
    for (const one of running) {
      if (one.at <= now) {
        if (one.controller.signal.aborted) {
          running.delete(one)
          one.reject(one.controller.signal.reason)
          continue
        }
        one.controller.abort(tooSlow(one))
        one.at = now + GRACE
      }
      if (one.at < next) next = one.at
    }
    if (next < Number.POSITIVE_INFINITY) arm(next)
  }
  return {
    run(ms, what, work) {
      return new Promise((resolve, reject) => {
        const controller = new AbortController()
        const one: Running = { at: runtime.elapsed() + ms, what, ms, controller, reject }
        running.add(one)
        arm(one.at)
        start(work, controller.signal).then(
          (value) => {
            running.delete(one)
            resolve(value)
          },
          (error: unknown) => {
            running.delete(one)
            const { signal } = controller
            reject(signal.aborted && kindOf(error) !== 'outage' ? signal.reason : error)
          },
        )
      })
    },
    abort(reason) {
      for (const { controller } of running) controller.abort(reason)
    },
    giveUp() {
      disarm()
      for (const one of running) one.reject(one.controller.signal.reason)
      running.clear()
    },
  }
}

async function start<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return work(signal)
}

function tooSlow({ what, ms }: Running): ObverseError {
  return new ObverseError(
    'HANDLER_TOO_SLOW',
    `${what} took longer than ${ms} ms; make it faster, or give its channel or the handler a longer timeout`,
  )
}
