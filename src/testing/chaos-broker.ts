import type { Broker, BrokerDelivery, Runtime, SubscribeOptions } from 'obverse'

export interface ChaosOptions {
  /** Chance, 0 to 1, that a delivery comes twice, the second time marked as redelivered. Default 0. */
  readonly duplicate?: number
  /** Chance, 0 to 1, that a delivery is overtaken by the one after it, of its own key too. Default 0. */
  readonly reorder?: number
  /** Most milliseconds that chance holds up a delivery. Default 0. */
  readonly delay?: number
  /** Seed it, and say the seed when the test fails. */
  readonly random: () => number
  readonly runtime: Pick<Runtime, 'after'>
}

/**
 * Any broker, with worse manners: deliveries come twice, late and in another order, as after lost connections. What
 * is published, settled and counted stays true, so that whatever goes wrong is the consumer's.
 *
 * @example
 * const random = seededRandom(7)
 * const broker = async () => chaosBroker(server.connect(), { duplicate: 0.2, reorder: 0.2, delay: 20, random, runtime })
 */
export function chaosBroker(broker: Broker, options: ChaosOptions): Broker {
  return {
    name: broker.name,
    sharesStore: broker.sharesStore,
    declare: (channels) => broker.declare(channels),
    publish: (messages) => broker.publish(messages),
    stats: () => broker.stats(),
    peek: (channel, limit) => broker.peek(channel, limit),
    put: (channel, body) => broker.put(channel, body),
    purge: (channel) => broker.purge(channel),
    close: () => broker.close(),
    async subscribe(channel, subscribing) {
      const chaos = new Chaos(subscribing, options)
      const subscription = await broker.subscribe(channel, {
        ...subscribing,
        onDeliveries: (deliveries) => chaos.take(deliveries),
      })
      return {
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        async close() {
          chaos.end()
          await subscription.close()
        },
      }
    },
  }
}

class Chaos {
  readonly #options: ChaosOptions
  readonly #deliver: SubscribeOptions['onDeliveries']
  /** Timers that still hold something up. */
  readonly #cancels = new Set<() => void>()

  constructor({ onDeliveries }: SubscribeOptions, options: ChaosOptions) {
    this.#deliver = onDeliveries
    this.#options = options
  }

  take(deliveries: readonly BrokerDelivery[]): void {
    const { duplicate = 0, random } = this.#options
    const twice = deliveries.flatMap((one) =>
      random() < duplicate ? [one, { ...one, ack: () => one.ack(), redelivered: true }] : [one],
    )
    for (const delivery of this.#shuffled(twice)) this.#pass(delivery)
  }

  end(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }

  #shuffled(deliveries: readonly BrokerDelivery[]): readonly BrokerDelivery[] {
    const { reorder = 0, random } = this.#options
    const order = [...deliveries]
    for (let at = 1; at < order.length; at += 1) {
      if (random() < reorder) order.splice(at - 1, 2, order[at] as BrokerDelivery, order[at - 1] as BrokerDelivery)
    }
    return order
  }

  #pass(delivery: BrokerDelivery): void {
    const { delay = 0, random, runtime } = this.#options
    const wait = Math.floor(random() * (delay + 1))
    if (wait === 0) {
      this.#deliver([delivery])
      return
    }
    const cancel = runtime.after(wait, () => {
      this.#cancels.delete(cancel)
      this.#deliver([delivery])
    })
    this.#cancels.add(cancel)
  }
}
