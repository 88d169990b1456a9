import type { Kind } from './define.ts'
import type { Metadata } from './metadata.ts'

/** A message as it is stored and sent. */
export interface Envelope<D = unknown> {
  /** UUID v7. The same on every delivery: the inbox knows a message by it. */
  readonly id: string
  readonly type: string
  readonly kind: Kind
  readonly schemaVersion: number
  /** ISO 8601, UTC, milliseconds: when the message was made. */
  readonly time: string
  /** Order is kept among messages of one key; `null`: no order. */
  readonly key: string | null
  /** Events: number in its key, 1, 2, 3 … without a gap, given by the commit. */
  readonly seq?: number
  /** Events: place in the log, gapless, known once stamped. */
  readonly position?: number
  readonly data: D
  readonly metadata: Metadata
}

/** An event as the log gives it: `seq` is always there; `position` once it is stamped. */
export interface EventEnvelope<D = unknown> extends Envelope<D> {
  readonly kind: 'event'
  readonly key: string
  readonly seq: number
}

/**
 * A message on its way to a store: serialised once, everything but `seq` and `position`, which only the commit
 * knows. {@link completeBody} puts them in.
 */
export interface Outgoing {
  readonly id: string
  readonly type: string
  readonly kind: Kind
  readonly schemaVersion: number
  readonly time: string
  readonly key: string | null
  /** `data` as JSON text. */
  readonly data: string
  /** `metadata` as JSON text. */
  readonly metadata: string
  /** Correlation, again, for the index by which a tree is found. */
  readonly correlationId: string
  readonly causationId: string | null
  /** Where it goes: one outbox row for each. Empty: an event that nobody subscribes to is in the log only. */
  readonly channels: readonly string[]
  /** Epoch milliseconds before which no consumer sees it; until then it holds up nothing of its key. */
  readonly due?: number
}
