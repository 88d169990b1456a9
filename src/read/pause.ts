import type { Runtime } from '../runtime/clock.ts'
import { type RetryPolicy, retryDelay } from '../runtime/retry.ts'
import type { Applied, FailedEvent } from './outcome.ts'
import type { Parking } from './parking.ts'

/** Milliseconds between tries once the retries are used up: a person may have skipped the event meanwhile. */
const LOOK = 1_000

/** Where and why a gathering projection stands. */
export interface Standing {
  readonly messageId: string
  readonly type: string
  readonly position: number
  readonly reason: string
  /** Tries so far. */
  readonly attempts: number
}

/** A gathering projection that stands at a failing event: counts its tries, waits between them, records the event once. */
export interface Pause {
  /** Takes the result of a batch; returns the position up to which the log is done with. */
  after(applied: Applied, from: number, to: number): Promise<number>
  /** True while the next try is not due. */
  resting(): boolean
  end(): void
  readonly standing: Standing | undefined
  /** What the event failed with. */
  readonly error: unknown
}

export function createPause(policy: RetryPolicy, runtime: Runtime, parking: Parking): Pause {
  let standing: Standing | undefined
  let until = 0
  let recorded = false
  let failure: unknown

  const stand = async ({ event, error }: FailedEvent) => {
    failure = error
    const again = standing?.messageId === event.id
    const attempts = again ? (standing?.attempts ?? 0) + 1 : 1
    if (!again) recorded = false
    const delay = retryDelay(policy, attempts, runtime.random)
    until = runtime.elapsed() + (delay ?? LOOK)
    standing = {
      messageId: event.id,
      type: event.type,
      position: event.position ?? 0,
      reason: error instanceof Error ? error.message : String(error),
      attempts,
    }
    if (delay === undefined && !recorded) {
      await parking.failed(event, error)
      recorded = true
    }
  }
  return {
    async after(applied, from, to) {
      const failed = applied.failed[0]
      if (!failed) {
        standing = undefined
        failure = undefined
        return to
      }
      await stand(failed)
      return Math.max(from, (failed.event.position ?? from + 1) - 1)
    },
    resting: () => standing !== undefined && runtime.elapsed() < until,
    end() {
      until = 0
    },
    get standing() {
      return standing
    },
    get error() {
      return failure
    },
  }
}
