import type { Delivery } from '../message/delivery.ts'
import type { RetryPolicy } from '../runtime/retry.ts'

/**
 * What a consumer delivers to: a handler, one message at a time, or a projection, in batches. `app.ts` makes them,
 * so that a consumer knows neither commands nor views.
 */
export type Subscriber = HandlerSubscriber | BatchSubscriber

interface Subscribed {
  /** Scope of the inbox mark and of the lane. Unique in the application. */
  readonly name: string
  readonly channel: string
  readonly types: ReadonlySet<string>
  readonly ordered: boolean
  readonly retry: RetryPolicy
  /** True for an asynchronous command: its end is written into its status row. */
  readonly tracked: boolean
}

export interface HandlerSubscriber extends Subscribed {
  /** Milliseconds an attempt may take. Default: that of the channel. */
  readonly timeout?: number
  /** Resolves with how the transaction ended (it settled the delivery where it can), or rejects with the failure. */
  readonly handle: (delivery: Delivery, signal: AbortSignal) => Promise<'committed' | 'duplicate' | 'held' | 'lost'>
  readonly handleBatch?: undefined
}

export interface BatchSubscriber extends Subscribed {
  readonly handle?: undefined
  /**
   * Applies deliveries in order and says which failed; after a failure the later ones of the same key are not
   * applied and are named in `behind`. Rejects only when nothing is known (an outage): deliver all again.
   * Settles nothing: the consumer does, in one batch.
   */
  readonly handleBatch: (deliveries: readonly Delivery[], signal: AbortSignal) => Promise<BatchOutcome>
}

export interface BatchOutcome {
  readonly failed: readonly { readonly delivery: Delivery; readonly error: unknown }[]
  readonly behind: readonly Delivery[]
}
