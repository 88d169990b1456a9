import type { BrokerDelivery, SubscribeOptions, Subscription } from 'obverse'
import type { MemoryBroker } from 'obverse/memory'
import type { Link } from './link.ts'
import type { Mutations } from './mutation.ts'

/** A subscription that outlives its connections. */
export class ReachedSubscription {
  readonly #channel: string
  readonly #options: SubscribeOptions
  readonly #link: Link
  readonly #without: Mutations
  #inner: Subscription | undefined
  #paused = false
  #ended = false

  constructor(channel: string, options: SubscribeOptions, link: Link, without: Mutations) {
    this.#channel = channel
    this.#options = options
    this.#link = link
    this.#without = without
  }

  async attach(connection: MemoryBroker): Promise<void> {
    if (this.#inner || this.#ended) return
    const { process } = this.#link
    const inner: Subscription = await connection.subscribe(this.#channel, {
      ...this.#options,
      onDeliveries: (deliveries) =>
        process.run(() => this.#options.onDeliveries(deliveries.map((delivery) => this.#over(delivery, inner)))),
    })
    this.#inner = inner
    if (this.#paused) inner.pause()
  }

  /** Its connection is gone, with all that was on it. */
  lost(): void {
    if (this.#inner === undefined) return
    this.#inner = undefined
    this.#options.onError?.(this.#link.error('subscription', 'was lost'))
  }

  pause(): void {
    this.#paused = true
    this.#inner?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#inner?.resume()
  }

  async detach(): Promise<void> {
    this.#ended = true
    await this.#inner?.close()
  }

  #over(delivery: BrokerDelivery, inner: Subscription): BrokerDelivery {
    if (this.#without.has('ack-last')) void delivery.ack()
    return {
      ...delivery,
      redelivered: delivery.redelivered && !this.#without.has('redelivered'),
      // nobody answers to it: one that does not come through is the end of its connection, which the server has noticed
      ack: async () => {
        await this.#link.process.pass(0)
        if (inner === this.#inner && !this.#link.isCut) await delivery.ack()
      },
    }
  }
}
