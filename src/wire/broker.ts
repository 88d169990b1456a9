import type { Finding, Health } from '../runtime/health.ts'

/**
 * PORT. Carries messages from the outbox to consumers. Delivers at least once and, per key, in the order published.
 *
 * Where the store's outbox rows are the queue rows (memory, SQLite), `sharesStore` is true: there is nothing to
 * relay, and a delivery carries a `settlement` that the handler's own transaction executes.
 */
export interface Broker {
  readonly name: string
  readonly sharesStore: boolean
  /**
   * Declares what the channels need. Idempotent. A difference to what exists is an error that names it. While the server is down
   * it rejects with an outage, remembers the channels, and makes up for it before it publishes or delivers.
   */
  declare(channels: readonly ChannelDeclaration[]): Promise<void>
  /**
   * Publishes a batch. Resolves when every message has its outcome, in the order given; an unroutable message is `returned`, which counts
   * as not sent. Rejects with an outage when nothing is known: publish again with the same ids.
   */
  publish(messages: readonly Published[]): Promise<readonly PublishOutcome[]>
  /** Delivers messages of `channel`, at most `prefetch` unsettled. */
  subscribe(channel: string, options: SubscribeOptions): Promise<Subscription>
  stats(): Promise<readonly ChannelStats[]>
  /** Up to `limit` waiting messages, oldest first, bodies exactly as `put` takes them. Nothing is consumed. */
  peek(channel: string, limit: number): Promise<readonly string[]>
  /** Adds raw text as a message, whatever it is. */
  put(channel: string, body: string): Promise<void>
  /** Removes everything waiting; for `reset` and tests. Returns how many. */
  purge(channel: string): Promise<number>
  /**
   * Gives what the broker itself gave up: messages that it took from their channel after it had delivered them too often.
   * Each is settled by its `ack`, once it is kept elsewhere. Absent where a broker gives nothing up.
   */
  givenUp?(take: (message: GivenUp) => Promise<void>): Promise<Subscription>
  /** Absent: `stats` tells. */
  health?(): Promise<Health>
  /** Differences between what is declared and what is there, and settings that would lose or hold up messages. */
  examine?(): Promise<readonly Finding[]>
  close(): Promise<void>
}

/** What a broker has to know of a channel: `Channel` is one. */
export interface ChannelDeclaration {
  readonly name: string
  /** Queues among which its keys are divided, each with one active consumer. Default 1. */
  readonly partitions?: number
  /** False: several consumers take its messages side by side. Default true. */
  readonly ordered?: boolean
  /** Milliseconds a handler may take: longer than this no broker may wait less for an acknowledgement. */
  readonly timeout?: number
}

/** A message that its broker gave up. */
export interface GivenUp {
  /** The channel that it was on. */
  readonly channel: string
  readonly body: string
  /** In words of the broker. */
  readonly reason: string
}

export interface Published {
  readonly messageId: string
  readonly channel: string
  readonly key: string | null
  readonly body: string
}

export type PublishOutcome =
  | { readonly messageId: string; readonly kind: 'confirmed' }
  | { readonly messageId: string; readonly kind: 'returned'; readonly reason: string }

export interface SubscribeOptions {
  /** Unsettled deliveries at once. */
  readonly prefetch: number
  /** Called with one or more deliveries, in order. Must not throw. */
  readonly onDeliveries: (deliveries: readonly BrokerDelivery[]) => void
  /** Told of outages; the subscription heals by itself. */
  readonly onError?: (error: unknown) => void
}

export interface Subscription {
  /** No more deliveries after this; the open ones may still be settled. Resolves at once. */
  pause(): void
  /** Takes deliveries again after `pause`. */
  resume(): void
  /** Gives back whatever is not settled, in order, and ends. */
  close(): Promise<void>
}

export interface BrokerDelivery {
  readonly body: string
  /** True when it may have been delivered before: its attempt is recorded before its handler runs. */
  readonly redelivered: boolean
  readonly settlement?: { readonly queueId: number; readonly owner: string }
  /** Settles it, once, alone. Does nothing when its transaction did. */
  ack(): Promise<void>
}

export interface ChannelStats {
  readonly channel: string
  /** Messages that wait or are unsettled; not those that are not due yet. */
  readonly messages: number
  /** Of these, taken by a consumer. */
  readonly unsettled: number
  readonly consumers: number
  /** Epoch ms of the oldest waiting message, where known. */
  readonly oldest?: number
  /** Messages per second, lately, where the broker measures them: that came, and that were settled. */
  readonly rates?: { readonly published: number; readonly settled: number }
}
