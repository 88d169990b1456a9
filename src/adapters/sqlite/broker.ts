import type { Broker, ChannelDeclaration, ChannelStats, PublishOutcome, Subscription } from 'obverse'
import { readEnvelope } from 'obverse'
import { enqueueBody } from './append.ts'
import { countDue, countTaken, oldestWaiting, peek, purge } from './backlog.ts'
import type { OpenFile } from './environment.ts'
import type { Owners } from './owners.ts'
import { QueueSubscription } from './subscription.ts'

/** The queue that the outbox rows are. */
export class QueueBroker implements Broker {
  readonly name: string = 'sqlite'
  readonly sharesStore: boolean = true
  readonly #environment: OpenFile
  readonly #owners: Owners
  readonly #declared = new Set<string>()
  readonly #byOwner = new Map<string, QueueSubscription>()

  readonly #onSubscribe: () => void

  constructor(environment: OpenFile, owners: Owners, onSubscribe: () => void) {
    this.#environment = environment
    this.#owners = owners
    this.#onSubscribe = onSubscribe
  }

  async declare(channels: readonly ChannelDeclaration[]): Promise<void> {
    for (const { name } of channels) this.#declared.add(name)
  }

  async publish(messages: Parameters<Broker['publish']>[0]): Promise<readonly PublishOutcome[]> {
    const { writer, runtime } = this.#environment
    await writer.submit(() => {
      for (const { channel, messageId, key, body } of messages) {
        enqueueBody(writer.connection, channel, messageId, key, body, runtime.now())
      }
    })
    return messages.map(({ messageId }) => ({ messageId, kind: 'confirmed' }))
  }

  async subscribe(channel: string, options: Parameters<Broker['subscribe']>[1]): Promise<Subscription> {
    const known = (owner: string, live: QueueSubscription | undefined) => {
      if (live) this.#byOwner.set(owner, live)
      else this.#byOwner.delete(owner)
    }
    const [file, owners] = [this.#environment, this.#owners]
    const subscription = new QueueSubscription(file, owners, channel, options, this.sharesStore, known)
    await subscription.start()
    this.#onSubscribe()
    return subscription
  }

  /** After every commit that may concern a consumer. */
  wake(): void {
    for (const subscription of this.#byOwner.values()) subscription.wake()
  }

  settled({ queueId, owner }: { readonly queueId: number; readonly owner: string }): void {
    this.#byOwner.get(owner)?.settled(queueId)
  }

  stats(): Promise<readonly ChannelStats[]> {
    const { reader, runtime } = this.#environment
    return reader.read((c) => {
      const now = runtime.now()
      const channels = new Map<string, Building>()
      const of = (channel: string): Building => {
        let stats = channels.get(channel)
        if (!stats) {
          stats = { channel, messages: 0, unsettled: 0, consumers: 0 }
          channels.set(channel, stats)
        }
        return stats
      }
      for (const channel of this.#declared) of(channel)
      for (const { channel, count } of countDue(c, now)) of(channel).messages += count
      for (const { channel, count } of countTaken(c)) of(channel).unsettled += count
      for (const { channel } of this.#owners.living(c)) if (channel !== null) of(channel).consumers += 1
      return [...channels.values()].map((stats) => {
        const oldest = stats.messages > stats.unsettled ? oldestWaiting(c, stats.channel, now) : undefined
        return oldest === undefined ? stats : { ...stats, oldest }
      })
    })
  }

  peek(channel: string, limit: number): Promise<readonly string[]> {
    const { reader, runtime } = this.#environment
    return reader.read((c) => peek(c, channel, limit, runtime.now()))
  }

  async put(channel: string, body: string): Promise<void> {
    const { writer, runtime } = this.#environment
    const { id, key } = readable(body)
    await writer.submit(() => enqueueBody(writer.connection, channel, id, key, body, runtime.now()))
  }

  purge(channel: string): Promise<number> {
    const { writer } = this.#environment
    return writer.submit(() => purge(writer.connection, channel))
  }

  async close(): Promise<void> {
    for (const subscription of [...this.#byOwner.values()]) await subscription.close()
  }
}

interface Building {
  readonly channel: string
  messages: number
  unsettled: number
  consumers: number
}

/** Whatever was put there is a message; its key is kept in order if it can be read. */
function readable(body: string): { id: string; key: string | null } {
  try {
    return readEnvelope(body)
  } catch {
    return { id: '', key: null }
  }
}
