import type { EventEnvelope, Outgoing } from '../message/envelope.ts'

/** PORT. The events of one key, in order. Appending is part of a {@link Unit}; this side only loads. */
export interface EventStore {
  /**
   * Events of `key` with a seq above `after` (default 0), ascending, and the seq of the key's last event of any type
   * (0: none). `types` leaves out events the caller does not know. Data may be shared between loads and frozen: do not
   * change it.
   */
  load(key: string, options?: { readonly after?: number; readonly types?: readonly string[] }): Promise<Stream>
}

export interface Stream {
  /** Seq of the key's last event, of any type; 0 for a key without events. This is the expected version. */
  readonly version: number
  readonly events: readonly EventEnvelope[]
}

/** An event on its way into the log: its key is set, its seq is given by the commit. */
export type NewEvent = Outgoing & { readonly kind: 'event'; readonly key: string }
