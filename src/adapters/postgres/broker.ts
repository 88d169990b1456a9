import {
  type Broker,
  type ChannelDeclaration,
  type ChannelStats,
  type PublishOutcome,
  readEnvelope,
  type Settlement,
  type Subscription,
} from 'obverse'
import { counts, oldest, peek, purge } from './backlog.ts'
import { Delayed } from './delayed.ts'
import type { Environment } from './environment.ts'
import { LowWater } from './low-water.ts'
import type { Owners } from './owners.ts'
import { enqueue } from './queue.ts'
import { QueueSubscription } from './subscription.ts'

/** The queue that the outbox rows are, for those who want one database only. */
export class QueueBroker implements Broker {
  readonly name: string = 'postgres'
  readonly sharesStore: boolean = true
  readonly #environment: Environment
  readonly #owners: Owners
  readonly #low: LowWater
  readonly #delayed: Delayed
  readonly #declared = new Set<string>()
  readonly #byOwner = new Map<string, QueueSubscription>()
  readonly #onSubscribe: () => void

  constructor(environment: Environment, owners: Owners, onSubscribe: () => void) {
    this.#environment = environment
    this.#owners = owners
    this.#low = new LowWater(environment)
    this.#delayed = new Delayed(environment)
    this.#onSubscribe = onSubscribe
  }

  async declare(channels: readonly ChannelDeclaration[]): Promise<void> {
    for (const { name } of channels) this.#declared.add(name)
  }

  async publish(messages: Parameters<Broker['publish']>[0]): Promise<readonly PublishOutcome[]> {
    const { writer, runtime, news } = this.#environment
    await enqueue(await writer.connection(), messages, runtime.now())
    news()
    return messages.map(({ messageId }) => ({ messageId, kind: 'confirmed' }))
  }

  async subscribe(channel: string, options: Parameters<Broker['subscribe']>[1]): Promise<Subscription> {
    this.#onSubscribe()
    const subscription = new QueueSubscription(
      {
        environment: this.#environment,
        owners: this.#owners,
        low: this.#low,
        delayed: this.#delayed,
        onOwner: (owner, live) => {
          if (live) this.#byOwner.set(owner, live)
          else this.#byOwner.delete(owner)
        },
      },
      channel,
      options,
    )
    await subscription.start()
    return subscription
  }

  /** After every commit that may concern a consumer. */
  wake(): void {
    for (const subscription of this.#byOwner.values()) subscription.wake()
  }

  settled({ queueId, owner }: Settlement): void {
    this.#byOwner.get(owner)?.settled(queueId)
  }

  async stats(): Promise<readonly ChannelStats[]> {
    const { reader, runtime } = this.#environment
    const now = runtime.now()
    const [found, living] = await Promise.all([counts(reader, now), this.#owners.living()])
    const byChannel = new Map(found.map((row) => [row.channel, row]))
    const channels = new Set([...this.#declared, ...byChannel.keys()])
    for (const { channel } of living) if (channel !== null) channels.add(channel)
    const waiting = found.filter(({ messages, unsettled }) => messages > unsettled).map(({ channel }) => channel)
    const since = await oldest(reader, waiting, now)
    return [...channels].map((channel) => {
      const { messages = 0, unsettled = 0 } = byChannel.get(channel) ?? {}
      const consumers = living.filter((owner) => owner.channel === channel).length
      const first = since.get(channel)
      return { channel, messages, unsettled, consumers, ...(first !== undefined && { oldest: first }) }
    })
  }

  peek(channel: string, limit: number): Promise<readonly string[]> {
    const { reader, runtime } = this.#environment
    return peek(reader, channel, limit, runtime.now())
  }

  async put(channel: string, body: string): Promise<void> {
    const { writer, runtime, news } = this.#environment
    await enqueue(await writer.connection(), [{ channel, ...readable(body), body }], runtime.now())
    news()
  }

  async purge(channel: string): Promise<number> {
    const count = await purge(this.#environment.writer, channel)
    if (count > 0) this.#environment.news()
    return count
  }

  async close(): Promise<void> {
    for (const subscription of [...this.#byOwner.values()]) await subscription.close()
  }
}

/** Whatever was put there is a message; its key is kept in order if it can be read. */
function readable(body: string): { messageId: string; key: string | null } {
  try {
    const { id, key } = readEnvelope(body)
    return { messageId: id, key }
  } catch {
    return { messageId: '', key: null }
  }
}
