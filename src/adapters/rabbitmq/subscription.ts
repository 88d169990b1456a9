import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import {
  type BrokerDelivery,
  type ObverseError,
  type Runtime,
  type SubscribeOptions,
  type Subscription,
  sleep,
} from 'obverse'
import { Acknowledgements } from './acknowledgements.ts'
import type { Address } from './address.ts'
import { closeChannel, openChannel } from './amqp-channel.ts'
import { isMissing } from './declare.ts'
import { brokerError } from './failure.ts'
import { Gate, type Source } from './gate.ts'
import { type Dialled, type Line, Link } from './link.ts'
import type { Settings } from './options.ts'
import { queueNames } from './partition.ts'
import { consumerArguments } from './queue.ts'
import type { Topology } from './topology.ts'
import { behaviourOf, versionOf } from './version.ts'

export interface SubscriptionOptions {
  readonly connection: Link<ChannelModel>
  readonly topology: Topology
  readonly settings: Settings
  readonly address: Address
  readonly runtime: Runtime
  readonly channel: string
  readonly consumer: SubscribeOptions
  readonly onClosed: (subscription: ChannelSubscription) => void
}

/**
 * Messages that are taken from an ordered quorum queue however few are asked for; the others wait here. What a consumer gives back comes
 * behind what was given back before and not taken since: whoever took less than its predecessor had, and ended, would change their order.
 */
const LEAST = 100

/**
 * Milliseconds after which an acknowledgement has reached its queue. A server keeps them back while many are on their way, and forgets what it
 * keeps back with the end of the AMQP channel: those messages would come again.
 */
const HEARD = 100

/**
 * Takes messages of a channel, from each of its queues on an AMQP channel of its own, which is opened again whenever it is lost. It never
 * cancels: closing the AMQP channel gives back what is open before anybody else gets what comes after it.
 */
export class ChannelSubscription implements Subscription {
  readonly channel: string
  readonly #options: SubscriptionOptions
  readonly #gate: Gate
  readonly #links: readonly Link<Channel>[]
  #reported: string | undefined

  constructor(options: SubscriptionOptions) {
    const { channel, topology, consumer, runtime } = options
    this.channel = channel
    this.#options = options
    this.#gate = new Gate(consumer)
    const { partitions, ordered } = topology.known(channel)
    const queues = queueNames(channel, partitions)
    const least = ordered && options.settings.queues === 'quorum' ? LEAST : 1
    const prefetch = Math.ceil(Math.max(consumer.prefetch, least) / partitions)
    this.#links = queues.map(
      (queue) =>
        new Link<Channel>({
          name: `subscription to ${queue}`,
          runtime,
          dial: (line) => this.#dial(queue, prefetch, line),
          onState: (state, error) => this.#onState(state === 'open', error),
        }),
    )
  }

  /** Deliveries that were handed over, and not settled. */
  get open(): number {
    return this.#gate.open
  }

  /** Messages that were taken, and not handed over. */
  get waiting(): number {
    return this.#gate.waiting
  }

  /** Queues that it consumes. */
  get consumers(): number {
    return this.#links.filter(({ value }) => value !== undefined).length
  }

  /** @throws {ObverseError} when a queue cannot be consumed now */
  async start(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.get()))
  }

  /** The connection is back. */
  hurry(): void {
    for (const link of this.#links) link.hurry()
  }

  pause(): void {
    this.#gate.pause()
  }

  resume(): void {
    this.#gate.resume()
  }

  async close(): Promise<void> {
    this.#gate.close()
    await Promise.all(this.#links.map((link) => link.close()))
    this.#options.onClosed(this)
  }

  async #dial(queue: string, prefetch: number, line: Line): Promise<Dialled<Channel>> {
    const { connection, topology, settings, address, runtime, channel } = this.#options
    const failure = (error: unknown): ObverseError => brokerError(error, address, `consume the queue ${queue}`)
    const model = await connection.get()
    for (const mistake of (await topology.ensure([channel])).values()) throw mistake
    const source: Source = { live: true, open: 0, settledAt: Number.NEGATIVE_INFINITY }
    let amqp: Channel
    try {
      amqp = await openChannel(model, (error) => {
        this.#gate.gone(source)
        line.lost(failure(error))
      })
    } catch (error) {
      throw failure(error)
    }
    const behaviour = behaviourOf(versionOf(model.connection.serverProperties.version))
    const { timeout } = topology.known(channel)
    const done = new Acknowledgements((deliveryTag, andEarlier) => acknowledge(amqp, deliveryTag, andEarlier))
    const take = (message: ConsumeMessage | null) => {
      if (message) this.#gate.arrived(source, this.#delivery(source, done, message))
      else this.#cancelled(amqp, source, queue, line)
    }
    try {
      // for each consumer, never for the AMQP channel: quorum queues refuse that
      await amqp.prefetch(prefetch)
      await amqp.consume(queue, take, { arguments: consumerArguments(timeout, settings, behaviour) })
    } catch (error) {
      if (isMissing(error)) topology.doubt(channel)
      this.#gate.gone(source)
      void closeChannel(amqp, runtime)
      throw failure(error)
    }
    const close = async (): Promise<void> => {
      const unheard = source.settledAt + HEARD - runtime.elapsed()
      if (source.live && unheard > 0) await sleep(runtime, unheard)
      this.#gate.gone(source)
      await closeChannel(amqp, runtime)
    }
    return { value: amqp, close }
  }

  #delivery(source: Source, done: Acknowledgements, { content, fields, properties }: ConsumeMessage): BrokerDelivery {
    const { deliveryTag, redelivered } = fields
    let settled = false
    return {
      body: content.toString(),
      redelivered: redelivered || wasDelivered(properties.headers ?? {}),
      ack: async () => {
        if (settled || !source.live) return
        settled = true
        source.settledAt = this.#options.runtime.elapsed()
        this.#gate.settled(source)
        // with all that is settled in this turn of the event loop
        if (done.settle(deliveryTag)) setImmediate(() => source.live && done.flush())
      },
    }
  }

  /** By the server: the queue was deleted or moves to another node, or a message took longer than the server waits. */
  #cancelled(amqp: Channel, source: Source, queue: string, line: Line): void {
    const { topology, address, runtime, channel } = this.#options
    topology.doubt(channel)
    this.#gate.gone(source)
    // at once: the driver does not expect another word about this consumer
    void closeChannel(amqp, runtime)
    const why = new Error(
      'the server cancelled it, because the queue was deleted or moves, or a message was not settled in time',
    )
    line.lost(brokerError(why, address, `go on consuming the queue ${queue}`))
  }

  #onState(open: boolean, error: ObverseError | undefined): void {
    if (open) this.#reported = undefined
    if (error === undefined || error.message === this.#reported) return
    this.#reported = error.message
    this.#options.consumer.onError?.(error)
  }
}

function acknowledge(amqp: Channel, deliveryTag: number, andEarlier: boolean): void {
  try {
    amqp.ack({ fields: { deliveryTag } } as ConsumeMessage, andEarlier)
  } catch {
    // the AMQP channel ends at this moment: the message comes again
  }
}

/** Quorum queues count deliveries; what was given back by a server that lost its memory of it is marked by that alone. */
function wasDelivered(headers: Readonly<Record<string, unknown>>): boolean {
  return Number(headers['x-delivery-count'] ?? 0) > 0 || Number(headers['x-acquired-count'] ?? 0) > 0
}
