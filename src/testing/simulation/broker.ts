import type { Broker, Published, PublishOutcome, SubscribeOptions, Subscription } from 'obverse'
import type { MemoryBroker } from 'obverse/memory'
import type { Link } from './link.ts'
import type { Mutations } from './mutation.ts'
import { ReachedSubscription } from './subscription.ts'
import type { World } from './world.ts'

/** What a broker apart does that no other port does. */
export interface Moods {
  /** Chance that a message is returned, as where a queue or binding is missing for a moment. */
  returns: number
  /** Chance that a batch is taken in part and nothing is known of it. */
  breaks: number
}

/** What lies between a process and the broker. */
export interface Reach {
  readonly link: Link
  readonly world: World
  readonly moods: Moods
  readonly without: Mutations
}

/** Milliseconds of silence after which the server ends a connection, at most. */
const HEARTBEAT = 2_500
/** Milliseconds after which a process connects again. */
const AGAIN = 300

/** A broker apart, as one process reaches it: what was not acknowledged when a connection ended comes again. */
export class ReachedBroker implements Broker {
  readonly name = 'simulated broker'
  readonly sharesStore = false
  readonly #server: MemoryBroker
  readonly #link: Link
  readonly #world: World
  readonly #moods: Moods
  readonly #without: Mutations
  readonly #subscriptions = new Set<ReachedSubscription>()
  #connection: MemoryBroker
  #closed = false

  constructor(server: MemoryBroker, { link, world, moods, without }: Reach) {
    this.#server = server
    this.#link = link
    this.#world = world
    this.#moods = moods
    this.#without = without
    this.#connection = server.connect()
    link.onCut(() => this.#lose(0))
    link.process.watch(
      () => this.#lose(world.between(0, HEARTBEAT)),
      (frozen) => {
        if (!frozen) return
        const silent = this.#connection
        world.after(HEARTBEAT, () => {
          if (!link.process.isRunning && silent === this.#connection) this.#lose(0)
        })
      },
    )
  }

  declare(...given: Parameters<Broker['declare']>): Promise<void> {
    return this.#link.call('broker.declare', () => this.#server.declare(...given))
  }

  async publish(messages: readonly Published[]): Promise<readonly PublishOutcome[]> {
    try {
      return await this.#publish(messages)
    } catch (error) {
      if (this.#without.has('unknown-is-unsent')) return messages.map(confirmed)
      throw error
    }
  }

  #publish(messages: readonly Published[]): Promise<readonly PublishOutcome[]> {
    return this.#link.call('broker.publish', async () => {
      const breaks = this.#world.chance(this.#moods.breaks)
      const taken = breaks ? messages.slice(0, Math.floor(this.#world.random() * messages.length)) : messages
      const outcomes: PublishOutcome[] = []
      for (const message of taken) outcomes.push(...(await this.#publishOne(message)))
      if (breaks) throw this.#link.error('broker.publish', `broke off after ${taken.length} of ${messages.length}`)
      return outcomes
    })
  }

  async subscribe(channel: string, options: SubscribeOptions): Promise<Subscription> {
    // a subscription is the process's own: one whose answer was lost is not there
    await this.#link.call('broker.subscribe', async () => {})
    const subscription = new ReachedSubscription(channel, options, this.#link, this.#without)
    this.#subscriptions.add(subscription)
    await subscription.attach(this.#connection)
    return {
      pause: () => subscription.pause(),
      resume: () => subscription.resume(),
      close: async () => {
        this.#subscriptions.delete(subscription)
        await this.#link.call('close', () => subscription.detach()).catch(() => {})
      },
    }
  }

  stats: Broker['stats'] = () => this.#link.call('broker.stats', () => this.#server.stats())
  peek: Broker['peek'] = (...given) => this.#link.call('broker.peek', () => this.#server.peek(...given))
  put: Broker['put'] = (...given) => this.#link.call('broker.put', () => this.#server.put(...given))
  purge: Broker['purge'] = (...given) => this.#link.call('broker.purge', () => this.#server.purge(...given))

  async close(): Promise<void> {
    this.#closed = true
    await this.#connection.close()
  }

  async #publishOne(message: Published): Promise<readonly PublishOutcome[]> {
    if (!this.#world.chance(this.#moods.returns)) return this.#server.publish([message])
    this.#world.note(this.#link.process.name, `gets a message of ${message.key} back: no queue`)
    if (this.#without.has('mandatory')) return [confirmed(message)]
    return [{ messageId: message.messageId, kind: 'returned', reason: 'the simulated queue is missing for a moment' }]
  }

  /** The server ends the connection after `ms`, and gives back what it has; the process makes another one. */
  #lose(ms: number): void {
    const lost = this.#connection
    this.#world.after(ms, () => {
      if (lost !== this.#connection || this.#closed) return
      this.#connection = this.#server.connect()
      for (const subscription of this.#subscriptions) subscription.lost()
      void lost.close()
      this.#reconnect()
    })
  }

  #reconnect(): void {
    const { process } = this.#link
    if (!process.isAlive || this.#without.has('resubscribe')) return
    this.#world.after(this.#world.between(0, AGAIN), () => {
      if (!process.isRunning || this.#link.isCut) this.#reconnect()
      else for (const subscription of this.#subscriptions) void subscription.attach(this.#connection)
    })
  }
}

function confirmed({ messageId }: Published): PublishOutcome {
  return { messageId, kind: 'confirmed' }
}
