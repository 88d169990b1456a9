import type { Envelope } from './envelope.ts'

/**
 * One message for one handler: what the inbox, the held rows and the acknowledgement know it by. It crosses from
 * the consumer (wire) to the transaction (write), so it belongs to neither.
 */
export interface Delivery {
  readonly envelope: Envelope
  /** The message exactly as it came, for rows that keep it. */
  readonly body: string
  readonly channel: string
  /** Name of the handler or projection; scope of the inbox mark. */
  readonly handler: string
  /** False: the handler keeps no order, so nothing waits behind this message. */
  readonly ordered: boolean
  /** Set when this is the head of a lane of held rows; the row goes in the transaction that handles it. */
  readonly heldId?: number
  /** Attempts that were made before this one. */
  readonly attempts: number
  /** Where the broker shares the store: its row, taken away in the handler's transaction. */
  readonly settlement?: Settlement
}

/** A queue row that the handler's own transaction settles, fenced: only while `owner` still holds it. */
export interface Settlement {
  readonly queueId: number
  readonly owner: string
}
