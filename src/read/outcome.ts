import { kindOf, ObverseError } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'

/** What became of a batch: events that are in neither list are in the view. */
export interface Applied {
  readonly failed: FailedEvent[]
  /** Not applied, because an earlier one failed: of its key, or, in a gathering view, at all. */
  readonly behind: EventEnvelope[]
  /** Rows and marks saved. */
  rows: number
  /** Events that were taken from the log, because they were missing before others. */
  filled: number
}

export interface FailedEvent {
  readonly event: EventEnvelope
  readonly error: unknown
}

/** The error of an event that cannot be applied because an earlier one, taken from the log, failed. */
export function failedBefore(earlier: EventEnvelope, event: EventEnvelope, error: unknown): ObverseError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ObverseError(
    kindOf(error) === 'permanent' ? 'PERMANENT' : 'HANDLER_FAILED',
    `Event ${event.seq} of key ${JSON.stringify(event.key)} waits for ${earlier.type} ${earlier.id} (seq ` +
      `${earlier.seq}), which failed: ${reason}`,
    { cause: error },
  )
}
