import type { ChannelModel } from 'amqplib'
import { type ChannelDeclaration, type Finding, kindOf, ObverseError } from 'obverse'
import type { Address } from './address.ts'
import { type Declared, declareExchange, declareQueue } from './declare.ts'
import { type Difference, differenceRemedy, differenceText } from './difference.ts'
import { brokerError } from './failure.ts'
import type { Settings } from './options.ts'
import { queueNames, routingKey } from './partition.ts'
import { settlePartitions } from './partition-number.ts'
import { channelArguments, failedArguments, type QueuePlan } from './queue.ts'
import { type Behaviour, behaviourOf, versionOf } from './version.ts'

export interface TopologyOptions {
  /** Resolves with a connection; never one that publishes, for an alarm would block it. */
  readonly connect: () => Promise<ChannelModel>
  readonly settings: Settings
  readonly address: Address
}

/**
 * What this process needs on the server: remembered once it is declared, and declared again after anything that could have taken it away.
 */
export class Topology {
  readonly #options: TopologyOptions
  readonly #remembered = new Map<string, ChannelDeclaration>()
  /** As they are to be, as far as is known. */
  readonly #ready = new Set<string>()
  #baseReady = false
  /** Declared by this process before: from then on their number of partitions stays. */
  readonly #settled = new Set<string>()
  readonly #errors = new Map<string, ObverseError>()
  /** Queues that are older than the server, which limits their deliveries. */
  readonly #limited = new Set<string>()
  readonly #notes = new Map<string, readonly Finding[]>()
  /** Declarations run one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: TopologyOptions) {
    this.#options = options
  }

  get channels(): readonly ChannelDeclaration[] {
    return [...this.#remembered.values()]
  }

  /** Channel → number of partitions. */
  get numbers(): ReadonlyMap<string, number> {
    return new Map(this.channels.map(({ name, partitions = 1 }) => [name, partitions]))
  }

  /** Mistakes that keep channels from being used. */
  get errors(): readonly ObverseError[] {
    return [...this.#errors.values()]
  }

  /** What was let pass when a channel was declared. */
  notes(channel: string): readonly Finding[] {
    return this.#notes.get(channel) ?? []
  }

  /** Messages are given up from it after a number of deliveries. */
  isLimited(channel: string): boolean {
    return this.#options.settings.deliveryLimit !== undefined || this.#limited.has(channel)
  }

  find(channel: string): ChannelDeclaration | undefined {
    return this.#remembered.get(channel)
  }

  /** @throws {ObverseError} `CHANNEL_UNKNOWN` */
  known(channel: string): Required<Pick<ChannelDeclaration, 'name' | 'partitions' | 'ordered'>> & ChannelDeclaration {
    const declaration = this.#remembered.get(channel)
    if (!declaration) throw new ObverseError('CHANNEL_UNKNOWN', `Nobody has declared the channel ${channel} here`)
    return { partitions: 1, ordered: true, ...declaration }
  }

  /**
   * Remembers the channels, whatever comes of it, and makes sure of them.
   * @throws {ObverseError} an outage, or `CONFIGURATION_INVALID` naming queue, argument, what is there and what was wanted
   */
  async declare(channels: readonly ChannelDeclaration[]): Promise<void> {
    for (const channel of channels) this.#remember(channel)
    const errors = await this.ensure(channels.map(({ name }) => name))
    for (const error of errors.values()) throw error
  }

  /** Something may have taken it away, or all. */
  doubt(channel?: string): void {
    this.#baseReady = false
    if (channel === undefined) this.#ready.clear()
    else this.#ready.delete(channel)
  }

  /** Whether nothing has to be done for them. */
  isReady(channels: Iterable<string>): boolean {
    for (const channel of channels) {
      if (this.#remembered.has(channel) && !this.#ready.has(channel)) return false
    }
    return true
  }

  /**
   * Declares what of `channels` is remembered and in doubt. Resolves with the mistakes, by channel.
   * @throws {ObverseError} an outage
   */
  async ensure(channels: Iterable<string>): Promise<ReadonlyMap<string, ObverseError>> {
    const names = new Set(channels)
    if (!this.isReady(names)) {
      const done = this.#last.then(() => this.#ensure(names))
      this.#last = done.catch(() => {})
      await done
    }
    return new Map([...this.#errors].filter(([channel]) => names.has(channel)))
  }

  /**
   * The exchange and the queue of what the server gives up, without which nothing works.
   * @throws {ObverseError} an outage, or `CONFIGURATION_INVALID`
   */
  base(): Promise<void> {
    const done = this.#last.then(async () => {
      const model = await this.#options.connect()
      try {
        await this.#base(model, behaviourAt(model))
      } catch (error) {
        throw brokerError(error, this.#options.address, 'declare what all channels need')
      }
    })
    this.#last = done.catch(() => {})
    return done
  }

  /** The queues of a channel as they are to be on a server of this behaviour. */
  plans(channel: string, behaviour: Behaviour): readonly QueuePlan[] {
    const declaration = this.known(channel)
    return queueNames(channel, declaration.partitions).map((name, index) => ({
      name,
      arguments: channelArguments(declaration, this.#options.settings, behaviour),
      keys: [routingKey(channel, declaration.partitions, index)],
    }))
  }

  async #ensure(names: ReadonlySet<string>): Promise<void> {
    const model = await this.#options.connect()
    const behaviour = behaviourAt(model)
    for (const name of names) {
      const declaration = this.#remembered.get(name)
      if (!declaration || this.#ready.has(name)) continue
      try {
        await this.#base(model, behaviour)
        this.#notes.set(name, await this.#channel(model, declaration, behaviour))
        this.#errors.delete(name)
        this.#settled.add(name)
        if (this.#remembered.get(name) === declaration) this.#ready.add(name)
      } catch (error) {
        const failure = brokerError(error, this.#options.address, `declare the channel ${name}`)
        if (kindOf(failure) === 'outage') throw failure
        this.#errors.set(name, failure)
      }
    }
  }

  /** What all channels need. */
  async #base(model: ChannelModel, behaviour: Behaviour): Promise<void> {
    if (this.#baseReady) return
    const { exchange, failed } = this.#options.settings
    this.#baseReady = true
    try {
      assertSame(await declareExchange(model, exchange), exchange, () => false)
      const plan = { name: failed, arguments: failedArguments(this.#options.settings, behaviour), keys: [failed] }
      assertSame(await declareQueue(model, plan, exchange), failed, passes)
    } catch (error) {
      this.#baseReady = false
      throw error
    }
  }

  async #channel(
    model: ChannelModel,
    { name, partitions = 1 }: ChannelDeclaration,
    behaviour: Behaviour,
  ): Promise<readonly Finding[]> {
    const { settings } = this.#options
    const { exchange } = settings
    await settlePartitions(model, { channel: name, partitions, exchange, mayChange: !this.#settled.has(name) })
    const notes: Finding[] = []
    this.#limited.delete(name)
    for (const queue of this.plans(name, behaviour)) {
      const declared = await declareQueue(model, queue, exchange)
      notes.push(...assertSame(declared, queue.name, passes))
      if (declared.differences.some(isLimit)) this.#limited.add(name)
    }
    return notes
  }

  #remember(declaration: ChannelDeclaration): void {
    const { name } = declaration
    const before = this.#remembered.get(name)
    if (before && sameDeclaration(before, declaration)) return
    const others = this.channels.filter((other) => other.name !== name)
    const taken = new Map<string, string>([[this.#options.settings.failed, 'the queue of failed messages']])
    for (const other of others)
      for (const queue of queueNames(other.name, other.partitions ?? 1)) taken.set(queue, `the channel ${other.name}`)
    const clash = queueNames(name, declaration.partitions ?? 1).find((queue) => taken.has(queue))
    if (clash !== undefined) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `The channel ${name} needs the queue ${clash}, which belongs to ${taken.get(clash)}; rename the channel`,
      )
    }
    this.#remembered.set(name, declaration)
    this.#ready.delete(name)
  }
}

function behaviourAt(model: ChannelModel): Behaviour {
  return behaviourOf(versionOf(model.connection.serverProperties.version))
}

function sameDeclaration(a: ChannelDeclaration, b: ChannelDeclaration): boolean {
  const { partitions = 1, ordered = true, timeout } = a
  return partitions === (b.partitions ?? 1) && ordered === (b.ordered ?? true) && timeout === b.timeout
}

/**
 * Differences that a newer server brings about by itself: its queues are older than the argument. A finding says what they cost, and the
 * application starts.
 */
function passes(one: Difference): boolean {
  return isLimit(one) ? one.wanted === -1 && one.found === undefined : one.argument === 'x-consumer-timeout'
}

function isLimit({ argument }: Difference): boolean {
  return argument === 'x-delivery-limit'
}

/** @throws {ObverseError} `CONFIGURATION_INVALID` */
function assertSame(declared: Declared, name: string, passing: (one: Difference) => boolean): readonly Finding[] {
  const grave = declared.differences.filter((one) => !passing(one))
  if (grave.length > 0) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `RabbitMQ has it otherwise: ${grave.map(differenceText).join(', ')}. ${differenceRemedy(grave)}`,
    )
  }
  const subject = `queue ${name}`
  const limit = declared.differences.find(isLimit)
  return [...(declared.unchecked ? [unchecked(subject)] : []), ...(limit ? [limited(subject, name)] : [])]
}

function unchecked(subject: string): Finding {
  return {
    level: 'warning',
    subject,
    says: 'it is there, but this user may not declare it, so how it was declared is not known',
    remedy: 'Permit it to configure its queues, or declare them as docs/guide/rabbitmq.md has it',
  }
}

function limited(subject: string, name: string): Finding {
  return {
    level: 'warning',
    subject,
    says: 'it is older than the server, which gives messages up from it after 20 deliveries; they come back through failed_messages, out of order',
    remedy: `Drain and delete it, and it is declared without a limit: rabbitmqctl delete_queue ${name}`,
  }
}
