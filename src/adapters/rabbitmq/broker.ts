import type { ChannelModel, ConfirmChannel } from 'amqplib'
import {
  type Broker,
  type ChannelDeclaration,
  type ChannelStats,
  type Finding,
  type GivenUp,
  type Health,
  ObverseError,
  type Published,
  type PublishOutcome,
  type Runtime,
  readEnvelope,
  type SubscribeOptions,
  type Subscription,
} from 'obverse'
import type { Address } from './address.ts'
import { briefly, closeChannel, openChannel } from './amqp-channel.ts'
import { connectionLink } from './connection.ts'
import { isMissing } from './declare.ts'
import { examine } from './examine.ts'
import { brokerError } from './failure.ts'
import { GivenUpSubscription } from './given-up.ts'
import { healthOf } from './health.ts'
import { type Dialled, type Line, Link } from './link.ts'
import { Management } from './management.ts'
import type { Settings } from './options.ts'
import { queueNames } from './partition.ts'
import { peek } from './peek.ts'
import { Publisher } from './publisher.ts'
import { channelStats, sum } from './stats.ts'
import { ChannelSubscription } from './subscription.ts'
import { Topology } from './topology.ts'

/**
 * RabbitMQ behind the port: two connections, because a server with an alarm stops reading from those that publish, and acknowledgements have
 * to get through. Both, and every AMQP channel on them, are links: lost, they are made again.
 */
export class RabbitBroker implements Broker {
  readonly name: string = 'rabbitmq'
  readonly sharesStore: boolean = false
  readonly #address: Address
  readonly #settings: Settings
  readonly #runtime: Runtime
  readonly #management: Management | undefined
  readonly #publishing: Link<ChannelModel>
  /** For everything but publishing. */
  readonly #consuming: Link<ChannelModel>
  readonly #confirming: Link<ConfirmChannel>
  readonly #topology: Topology
  readonly #publisher: Publisher
  readonly #subscriptions = new Set<ChannelSubscription>()
  readonly #drains = new Set<GivenUpSubscription>()
  #closing: Promise<void> | undefined

  constructor(address: Address, settings: Settings, runtime: Runtime) {
    this.#address = address
    this.#settings = settings
    this.#runtime = runtime
    this.#management = address.management && new Management(address.management, address.vhost)
    const shared = { address, settings, runtime }
    this.#publishing = connectionLink({
      ...shared,
      purpose: 'publishing',
      onState: (state) => {
        if (state === 'blocked') this.#publisher.blocked()
        else if (state === 'open') {
          this.#publisher.unblocked()
          this.#confirming.hurry()
        }
      },
    })
    this.#consuming = connectionLink({ ...shared, purpose: 'consuming', onState: (state) => this.#onConsuming(state) })
    this.#confirming = new Link<ConfirmChannel>({
      name: `AMQP channel for publishing to RabbitMQ at ${address.text}`,
      runtime,
      dial: (line) => this.#openConfirming(line),
      onState: (state, error) => {
        if (state === 'waiting' && error) this.#publisher.lost(error)
      },
    })
    this.#topology = new Topology({ connect: () => this.#consuming.get(), settings, address })
    this.#publisher = new Publisher({
      ...shared,
      connection: this.#publishing,
      channel: this.#confirming,
      topology: this.#topology,
    })
  }

  declare(channels: readonly ChannelDeclaration[]): Promise<void> {
    return this.#topology.declare(channels)
  }

  publish(messages: readonly Published[]): Promise<readonly PublishOutcome[]> {
    return this.#publisher.publish(messages)
  }

  async subscribe(channel: string, options: SubscribeOptions): Promise<Subscription> {
    this.#assertOpen()
    const subscription = new ChannelSubscription({
      ...this.#parts(),
      channel,
      consumer: options,
      onClosed: (closed) => this.#subscriptions.delete(closed),
    })
    this.#subscriptions.add(subscription)
    await this.#started(subscription)
    return subscription
  }

  async givenUp(take: (message: GivenUp) => Promise<void>): Promise<Subscription> {
    this.#assertOpen()
    const drain = new GivenUpSubscription({
      ...this.#parts(),
      take,
      onClosed: (closed) => this.#drains.delete(closed),
    })
    this.#drains.add(drain)
    await this.#started(drain)
    return drain
  }

  async stats(): Promise<readonly ChannelStats[]> {
    const own = (channel: string) => {
      const mine = [...this.#subscriptions].filter((subscription) => subscription.channel === channel)
      return {
        open: sum(mine.map(({ open }) => open)),
        waiting: sum(mine.map(({ waiting }) => waiting)),
        consumers: sum(mine.map(({ consumers }) => consumers)),
      }
    }
    return this.#ask('count messages', (model) =>
      channelStats({ model, channels: this.#topology.numbers, own, management: this.#management }),
    )
  }

  async peek(channel: string, limit: number): Promise<readonly string[]> {
    const { partitions, ordered } = this.#topology.known(channel)
    const queues = queueNames(channel, partitions)
    await this.#ensure(channel)
    return this.#ask(`look into ${channel}`, (model) => {
      const limited = this.#settings.deliveryLimit !== undefined || this.#topology.isLimited(channel)
      return peek({ model, queues, ordered, limit, limited, runtime: this.#runtime })
    })
  }

  async put(channel: string, body: string): Promise<void> {
    this.#topology.known(channel)
    const [outcome] = await this.publish([{ ...identify(body, this.#runtime), channel, body }])
    if (outcome?.kind === 'returned') throw new ObverseError('CONFIGURATION_INVALID', outcome.reason)
  }

  async purge(channel: string): Promise<number> {
    const { partitions } = this.#topology.known(channel)
    await this.#ensure(channel)
    return this.#ask(`empty ${channel}`, async (model) => {
      const purged = queueNames(channel, partitions).map((queue) => purge(model, queue))
      return sum(await Promise.all(purged))
    })
  }

  health(): Promise<Health> {
    return healthOf({
      address: this.#address,
      publishing: this.#publishing,
      consuming: this.#consuming,
      mistakes: this.#topology.errors,
      runtime: this.#runtime,
    })
  }

  examine(): Promise<readonly Finding[]> {
    return examine({
      ...this.#parts(),
      publishing: this.#publishing,
      consuming: this.#consuming,
      management: this.#management,
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#publisher.close()
    await Promise.all([...this.#subscriptions, ...this.#drains].map((one) => one.close()))
    await this.#confirming.close()
    await Promise.all([this.#publishing.close(), this.#consuming.close()])
  }

  /** What is declared was on a server that may have been another, or been emptied, since. */
  #onConsuming(state: string): void {
    if (state === 'waiting') this.#topology.doubt()
    if (state !== 'open') return
    for (const one of [...this.#subscriptions, ...this.#drains]) one.hurry()
    const channels = this.#topology.channels.map(({ name }) => name)
    // its mistakes are kept and shown by `health`; an outage is followed by another opening
    this.#topology.ensure(channels).catch(() => {})
  }

  async #openConfirming(line: Line): Promise<Dialled<ConfirmChannel>> {
    const failure = (error: unknown): ObverseError => brokerError(error, this.#address, 'publish')
    const model = await this.#publishing.get()
    try {
      const lost = (error: unknown) => {
        // the exchange is gone, and so is what was bound to it
        if (isMissing(error)) this.#topology.doubt()
        line.lost(failure(error))
      }
      const amqp = await openChannel(model, lost, true)
      this.#publisher.attach(amqp)
      return { value: amqp, close: () => closeChannel(amqp, this.#runtime) }
    } catch (error) {
      throw failure(error)
    }
  }

  async #ask<R>(doing: string, question: (model: ChannelModel) => Promise<R>): Promise<R> {
    const model = await this.#consuming.get()
    try {
      return await question(model)
    } catch (error) {
      throw brokerError(error, this.#address, doing)
    }
  }

  /** @throws {ObverseError} the mistake that keeps the channel from being used */
  async #ensure(channel: string): Promise<void> {
    for (const mistake of (await this.#topology.ensure([channel])).values()) throw mistake
  }

  /** A subscription that cannot be made now is not made at all: whoever asked asks again. */
  async #started(subscription: { start(): Promise<void>; close(): Promise<void> }): Promise<void> {
    try {
      await subscription.start()
    } catch (error) {
      await subscription.close()
      throw error
    }
  }

  #parts() {
    return {
      connection: this.#consuming,
      topology: this.#topology,
      settings: this.#settings,
      address: this.#address,
      runtime: this.#runtime,
    }
  }

  #assertOpen(): void {
    if (this.#closing) {
      throw new ObverseError('BROKER_CLOSED', `The connection to RabbitMQ at ${this.#address.text} has been closed`)
    }
  }
}

async function purge(model: ChannelModel, queue: string): Promise<number> {
  try {
    return (await briefly(model, (amqp) => amqp.purgeQueue(queue))).messageCount
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

function identify(body: string, runtime: Runtime): { readonly messageId: string; readonly key: string | null } {
  try {
    const { id, key } = readEnvelope(body)
    return { messageId: id, key }
  } catch {
    return { messageId: runtime.id(), key: null }
  }
}
