import type { EventEnvelope } from '../message/envelope.ts'

/**
 * PORT. What becomes of events that a projection cannot apply; `app.ts` keeps them as held rows and dead letters of
 * the lane (projection, key). All of it may be told again after a crash, so every call is harmless twice (by event id).
 */
export interface Parking {
  /** Which of `keys` wait behind a failed event. */
  blocked(keys: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Records a failed event: it is tried again later, and is a dead letter in the end. Its key waits. In a gathering
   * projection the whole projection waits, so nothing is to be put behind it.
   */
  failed(event: EventEnvelope, error: unknown): Promise<void>
  /** Puts events behind what their keys wait for, in this order. */
  behind(events: readonly EventEnvelope[]): Promise<void>
  /** True when a person has skipped this event: it counts as applied and changes nothing. Asked only of failing events. */
  givenUp(event: EventEnvelope): Promise<boolean>
}
