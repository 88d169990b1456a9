import type { Kind } from '../message/define.ts'
import type { Delivery } from '../message/delivery.ts'
import type { Envelope } from '../message/envelope.ts'
import type { Metadata } from '../message/metadata.ts'
import { isoTime, type Runtime } from '../runtime/clock.ts'
import type { Answer } from './idempotency.ts'
import type { Placed, Unit } from './transaction.ts'

/** One run of one handler: a command that was sent, or a message that a consumer delivered. */
export interface Job {
  readonly id: string
  readonly type: string
  readonly kind: Kind
  /** What the schema made of the data. */
  readonly data: unknown
  readonly metadata: Metadata
  readonly attempt: number
  readonly signal?: AbortSignal
  readonly delivery?: Delivery
  /** The message as an envelope; made when it is asked for. */
  envelope(): Envelope
  /** What the result adds to the unit: the answer to keep, the result of a status row. */
  more(result: unknown): Partial<Unit>
}

/** A job for a message that was just sent here. */
export class SentJob implements Job {
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly metadata: Metadata
  readonly kind = 'command'
  readonly attempt = 1
  readonly #runtime: Runtime
  readonly #answer: ((result: unknown, events: readonly Placed[]) => Answer) | undefined

  constructor(
    message: { readonly id: string; readonly type: string; readonly data: unknown; readonly metadata: Metadata },
    runtime: Runtime,
    answer?: (result: unknown, events: readonly Placed[]) => Answer,
  ) {
    this.id = message.id
    this.type = message.type
    this.data = message.data
    this.metadata = message.metadata
    this.#runtime = runtime
    this.#answer = answer
  }

  envelope(): Envelope {
    const { id, type, kind, data, metadata } = this
    return { id, type, kind, schemaVersion: 1, time: isoTime(this.#runtime.now()), key: null, data, metadata }
  }

  more(result: unknown): Partial<Unit> {
    const answer = this.#answer
    return answer ? { answer: (events) => answer(result, events) } : {}
  }
}

/** A job for a message that a consumer delivered. */
export function deliveredJob(delivery: Delivery, signal: AbortSignal, tracked: boolean): Job {
  const { envelope } = delivery
  return {
    id: envelope.id,
    type: envelope.type,
    kind: envelope.kind,
    data: envelope.data,
    metadata: envelope.metadata,
    attempt: delivery.attempts + 1,
    signal,
    delivery,
    envelope: () => envelope,
    more: (result) => (tracked && result !== undefined ? { result: JSON.stringify(result) } : {}),
  }
}
