import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import {
  type BrokerDelivery,
  bodyOfBytes,
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
import { Members } from './members.ts'
import type { Settings } from './options.ts'
import { queueNames } from './partition.ts'
import { consumerArguments } from './queue.ts'
import { Spreading } from './spreading.ts'
import { endsWithin } from './time-limit.ts'
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
  readonly #links: Link<Channel>[]
  /** By queue, as they came: the last AMQP channel of each. */
  readonly #sources = new Map<string, Source>()
  readonly #queues: readonly string[]
  readonly #prefetch: number
  readonly #spreading: Spreading | undefined
  #paused = false
  #closed = false
  #reported: string | undefined

  constructor(options: SubscriptionOptions) {
    const { channel, topology, consumer, settings } = options
    this.channel = channel
    this.#options = options
    this.#gate = new Gate(consumer)
    const { partitions, ordered } = topology.known(channel)
    const least = ordered && settings.queues === 'quorum' ? LEAST : 1
    this.#prefetch = Math.ceil(Math.max(consumer.prefetch, least) / partitions)
    this.#queues = queueNames(channel, partitions)
    this.#links = this.#queues.map((queue) => this.#link(queue))
    this.#spreading = ordered && partitions > 1 ? this.#spread(partitions) : undefined
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
    this.#spreading?.start()
  }

  /** The connection is back. */
  hurry(): void {
    for (const link of this.#links) link.hurry()
  }

  pause(): void {
    this.#paused = true
    this.#gate.pause()
  }

  resume(): void {
    this.#paused = false
    this.#gate.resume()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#gate.close()
    await Promise.all([this.#spreading?.close(), ...this.#links.map((link) => link.close())])
    this.#options.onClosed(this)
  }

  #link(queue: string): Link<Channel> {
    return new Link<Channel>({
      name: `subscription to ${queue}`,
      runtime: this.#options.runtime,
      dial: (line) => this.#dial(queue, line),
      onState: (state, error) => this.#onState(state === 'open', error),
    })
  }

  #spread(partitions: number): Spreading {
    const { connection, runtime, settings, channel } = this.#options
    return new Spreading({
      runtime,
      every: settings.spread.every,
      partitions,
      members: new Members({ connection, runtime, queue: `${settings.exchange}.${channel}.consumers` }),
      active: () => this.#active(),
      leave: (partition) => this.#leave(partition),
    })
  }

  /**
   * The one that came last is last, so that it is given on until it comes to somebody with room; before all others are those that may not be
   * left now. None where the server counts deliveries: to be given back brings messages nearer to being given up.
   */
  #active(): readonly number[] {
    if (this.#paused || this.#options.topology.isLimited(this.channel)) return []
    const active = this.#queues.flatMap((queue, partition) => {
      const { live, activeSince, again } = this.#sources.get(queue) ?? {}
      return live && activeSince !== undefined ? [{ partition, rank: again ? -1 : activeSince }] : []
    })
    return active.sort((one, other) => one.rank - other.rank).map(({ partition }) => partition)
  }

  /**
   * Lets the next one in the line have the partition, and joins its end. What was handed over is settled before; all else is given back, in
   * order, by the end of the AMQP channel. Not while it gets what others gave back: what is given back twice comes behind the rest of that.
   */
  async #leave(partition: number): Promise<boolean> {
    const { runtime, settings } = this.#options
    const queue = this.#queues[partition] as string
    const source = this.#sources.get(queue)
    if (!source?.live || source.again) return true
    await endsWithin(settings.spread.patience, this.#gate.hold(source), runtime)
    if (this.#closed || !source.live) return true
    if (source.open > 0) {
      this.#gate.release(source)
      return false
    }
    await this.#links[partition]?.close()
    if (this.#closed) return true
    const link = this.#link(queue)
    this.#links[partition] = link
    // tried again without end, and reported
    await link.get().catch(() => {})
    return true
  }

  async #dial(queue: string, line: Line): Promise<Dialled<Channel>> {
    const { connection, topology, settings, address, runtime, channel } = this.#options
    const failure = (error: unknown): ObverseError => brokerError(error, address, `consume the queue ${queue}`)
    const model = await connection.get()
    for (const mistake of (await topology.ensure([channel])).values()) throw mistake
    const source: Source = { live: true, open: 0, settledAt: Number.NEGATIVE_INFINITY }
    this.#sources.set(queue, source)
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
      if (message) {
        const delivery = this.#delivery(source, done, message)
        source.activeSince ??= runtime.elapsed()
        source.again = delivery.redelivered
        this.#gate.arrived(source, delivery)
      } else this.#cancelled(amqp, source, queue, line)
    }
    try {
      // for each consumer, never for the AMQP channel: quorum queues refuse that
      await amqp.prefetch(this.#prefetch)
      const consuming = amqp.consume(queue, take, { arguments: consumerArguments(timeout, settings, behaviour) })
      if (!(await endsWithin(settings.confirmTimeout, consuming, runtime))) throw unanswered(settings.confirmTimeout)
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
      body: bodyOfBytes(content),
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

function unanswered(limit: number): Error {
  return new Error(
    `no answer within ${limit} ms: the queue has no leader. Start the nodes that have it; if they are up, delete it as docs/guide/rabbitmq.md says`,
  )
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
