import type { EventEnvelope, HeldState, NewEvent, Outgoing, Registry } from 'obverse'
import { Heap } from './heap.ts'

/** One committed event. */
export interface StoredEvent {
  /** Drawn before the commit, so that it may come too late for whoever reads by it. */
  readonly insertion: number
  readonly seq: number
  position: number | undefined
  readonly message: NewEvent
  /** Outbox rows that wait for the position. */
  rows: QueueRow[] | undefined
  /** Read once for the write side, which loads the events of a key again and again. */
  loaded: { readonly registry: Registry; readonly envelope: EventEnvelope } | undefined
}

/** One message for one channel. Embedded it is the queue row; with a broker elsewhere it is the outbox row. */
export interface QueueRow {
  readonly id: number
  readonly queue: RowQueue
  readonly key: string | null
  readonly messageId: string
  /** Epoch ms: when it was added. */
  readonly at: number
  /** What was committed; its text is put together when somebody takes it. */
  readonly message: Outgoing | undefined
  readonly event: StoredEvent | undefined
  readonly raw: string | undefined
  /** Epoch ms before which it is not there for anybody, and holds up nothing. */
  due: number
  /** Epoch ms before which it is not taken, and holds up its key. */
  retryAt: number
  owner: Owner | undefined
  /** It has been with an owner before. */
  taken: boolean
  gone: boolean
}

/** Rows of one key, in order; at most one owner has rows of it at a time. */
export interface Lane {
  readonly key: string
  readonly waiting: Heap<QueueRow>
  owner: Owner | undefined
  /** Rows that are with the owner. */
  taken: number
}

/** What a row may ask of the queue that it is in. */
export interface RowQueue {
  readonly channel: string
  add(row: QueueRow, now: number): void
  remove(row: QueueRow): void
  giveBack(row: QueueRow, retryAt?: number): void
  stamped(row: QueueRow): void
}

/** A message that waits, or was given up. One table holds both, so that a dead letter keeps its place in its lane. */
export interface HeldEntry {
  readonly id: number
  readonly channel: string
  readonly handler: string | null
  readonly key: string | null
  readonly messageId: string | null
  readonly type: string | null
  /** Epoch ms. */
  at: number
  body: string
  originalBody: string | undefined
  ordered: boolean
  state: HeldState
  attempts: number
  retryAt: number
  code: string
  reason: string
  detail: string
  note: string | undefined
  owner: Owner | undefined
  /** An owner of it was lost. */
  redelivered: boolean
  lane: HeldLane | undefined
  /** Under which time it is offered to claims. */
  offered: number
  gone: boolean
}

/** The rows of one (handler, key) that block, by id. */
export interface HeldLane {
  readonly name: string
  readonly rows: Heap<HeldEntry>
  size: number
}

/** Whoever has taken rows: a subscription, a relay, a consumer's claims of held rows. */
export interface Owner {
  readonly id: string
  /** The opened store it works through; what is taken lapses with it. */
  readonly home: object
  /** `runtime.elapsed()` at which it counts as dead unless it is renewed. */
  expires: number
  alive: boolean
  /** A subscription: it lives while it has nothing, too. */
  subscribed: boolean
  readonly rows: Set<QueueRow>
  readonly held: Set<HeldEntry>
  /** Lanes that it has rows of, by their next row. */
  readonly lanes: Heap<Lane>
  /** Rows of one key that it has at once, at most: a busy key leaves room for all others. */
  perKey: number
}

export function owner(id: string, home: object, expires: number): Owner {
  const taken = { rows: new Set<QueueRow>(), held: new Set<HeldEntry>(), lanes: new Heap<Lane>() }
  return { id, home, expires, alive: true, subscribed: false, ...taken, perKey: Number.POSITIVE_INFINITY }
}
