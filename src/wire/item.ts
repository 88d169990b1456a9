import { ObverseError } from '../errors.ts'
import { decode, readEnvelope } from '../message/codec.ts'
import type { Delivery } from '../message/delivery.ts'
import type { Envelope } from '../message/envelope.ts'
import type { Registry } from '../message/registry.ts'
import type { BrokerDelivery } from './broker.ts'
import type { HeldRow } from './held.ts'
import type { InLine } from './lanes.ts'
import type { BatchSubscriber, HandlerSubscriber, Subscriber } from './subscriber.ts'

/**
 * One message on its way through a consumer. It has a part for its handlers, which run one after the other, and one
 * for each projection; it is settled when all of them have ended, by the last.
 */
export interface Item extends InLine {
  readonly envelope: Envelope
  readonly body: string
  /** Fresh from the broker, or … */
  readonly delivery?: BrokerDelivery
  /** … the head of a lane of held rows. */
  readonly held?: HeldRow
  readonly handlers: readonly HandlerSubscriber[]
  readonly batches: readonly BatchSubscriber[]
  /** No message, or none that anybody here takes: kept as a dead letter, handled by nobody. */
  readonly refused?: unknown
  /** Counted as started. */
  admitted: boolean
  /** Parts that have not ended. */
  parts: number
  /** Its queue row went in the transaction of a handler or of a held row. */
  settled: boolean
  /** Left as it is, for whoever gets it next. */
  abandoned: boolean
  /** Somebody else has it by now. */
  lost: boolean
}

/** Subscribers of one message type, by the way they take it. */
export interface Takers {
  readonly handlers: readonly HandlerSubscriber[]
  readonly batches: readonly BatchSubscriber[]
  /** One of the handlers keeps order. */
  readonly ordered: boolean
}

export function takersOf(subscribers: readonly Subscriber[]): Takers {
  const handlers = subscribers.filter((one): one is HandlerSubscriber => one.handle !== undefined)
  const batches = subscribers.filter((one): one is BatchSubscriber => one.handle === undefined)
  return { handlers, batches, ordered: handlers.some((one) => one.ordered) }
}

const NOBODY = takersOf([])

/**
 * Decodes a delivery and finds who takes it. Never throws: what cannot be read is `refused`, and so is what nobody here
 * takes, since somebody else may.
 */
export function itemOf(
  delivery: BrokerDelivery,
  channel: string,
  registry: Registry,
  find: (type: string) => Takers,
  recordAttempts: boolean,
): Item {
  const { body } = delivery
  try {
    const { envelope } = decode(body, registry)
    const takers = find(envelope.type)
    if (takers.handlers.length === 0 && takers.batches.length === 0) throw untaken(envelope.type, channel)
    return make(envelope, body, takers, delivery.redelivered && recordAttempts, { delivery })
  } catch (refused) {
    return make(unread(body), body, NOBODY, false, { delivery, refused })
  }
}

/** The same for a held row, whose subscriber is known. An edited body keeps its message id. */
export function heldItemOf(held: HeldRow, registry: Registry, subscriber: Subscriber, recordAttempts: boolean): Item {
  const { body, messageId } = held
  const suspect = held.redelivered !== false && recordAttempts
  try {
    const { envelope } = decode(body, registry)
    const same = envelope.id === messageId ? envelope : { ...envelope, id: messageId }
    return make(same, body, takersOf([subscriber]), suspect, { held })
  } catch (refused) {
    return make({ ...unread(body), id: messageId }, body, takersOf([subscriber]), false, { held, refused })
  }
}

/** What a subscriber is given. Only one of them gets the settlement: the last. */
export function deliveryOf(
  item: Item,
  subscriber: Subscriber,
  channel: string,
  attempts: number,
  settles: boolean,
): Delivery {
  const { envelope, body, delivery, held } = item
  const settlement = settles ? delivery?.settlement : undefined
  return {
    envelope,
    body,
    channel,
    handler: subscriber.name,
    ordered: subscriber.ordered,
    attempts,
    ...(held && { heldId: held.heldId }),
    ...(settlement && { settlement }),
  }
}

function make(
  envelope: Envelope,
  body: string,
  { handlers, batches, ordered }: Takers,
  suspect: boolean,
  origin: Pick<Item, 'delivery' | 'held' | 'refused'>,
): Item {
  return {
    ...origin,
    envelope,
    body,
    lane: ordered ? envelope.key : null,
    suspect,
    handlers,
    batches,
    admitted: false,
    parts: batches.length + (handlers.length > 0 || batches.length === 0 ? 1 : 0),
    settled: false,
    abandoned: false,
    lost: false,
  }
}

/** The code is one that `reclaim` takes back. */
function untaken(type: string, channel: string): ObverseError {
  return new ObverseError(
    'MESSAGE_TYPE_UNKNOWN',
    `Nothing on channel ${channel} takes ${type} here; is a newer version running, or was it put on the wrong channel?`,
  )
}

/** As much of a message as can be read, for rows that keep it. */
function unread(body: string): Envelope {
  try {
    return readEnvelope(body)
  } catch {
    return {
      id: '',
      type: '',
      kind: 'event',
      schemaVersion: 1,
      time: '',
      key: null,
      data: null,
      metadata: { correlationId: '', causationId: null },
    }
  }
}
