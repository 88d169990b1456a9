import { type BrokerDelivery, outageDelay, type SubscribeOptions, type Subscription } from 'obverse'
import { Choice, type TakenRow } from './choice.ts'
import type { Delayed } from './delayed.ts'
import { Doubt } from './doubt.ts'
import { type Environment, guards } from './environment.ts'
import type { LowWater } from './low-water.ts'
import type { Owners } from './owners.ts'
import { bodyOfRow, GIVE_UP, giveBack, settle } from './queue.ts'

/** Longest rest, milliseconds, after looks that found nothing to take: the first few follow each other more quickly. */
const BARREN = 8
/** Milliseconds between looks for which there is little room. */
const CRAMPED = 5
/** Rows of one key at once, at most: this part of the prefetch, so that one busy key leaves room for all others. */
const PER_KEY = 1 / 8
const PER_KEY_LEAST = 8
/** Part of the prefetch that is fetched at once: a look for every row would cost more than the rows do. */
const WORTH = 1 / 2

/** What the subscriptions of one broker share. */
export interface Queue {
  readonly environment: Environment
  readonly owners: Owners
  readonly low: LowWater
  readonly delayed: Delayed
  readonly onOwner: (owner: string, subscription: QueueSubscription | undefined) => void
}

/** One consumer of a channel: takes rows up to its prefetch, and has them until they are settled or given back. */
export class QueueSubscription implements Subscription {
  readonly #queue: Queue
  readonly #channel: string
  readonly #options: SubscribeOptions
  /** What was delivered and is not settled, with its key. */
  readonly #open = new Map<number, string | null>()
  readonly #keys = new Map<string, number>()
  readonly #perKey: number
  readonly #choice = new Choice()
  readonly #doubt: Doubt
  #owner: string
  #registered = false
  #state: 'taking' | 'paused' | 'closed' = 'taking'
  #taking: Promise<void> | undefined
  #again = false
  #failures = 0
  /** Looks in a row that found nothing. */
  #barren = 0
  #looked = Number.NEGATIVE_INFINITY
  #cancelTimer: () => void = () => {}

  constructor(queue: Queue, channel: string, options: SubscribeOptions) {
    this.#queue = queue
    this.#channel = channel
    this.#options = options
    this.#owner = queue.environment.runtime.id()
    this.#doubt = new Doubt(queue.environment)
    this.#perKey = Math.max(PER_KEY_LEAST, Math.ceil(options.prefetch * PER_KEY))
  }

  async start(): Promise<void> {
    await this.#queue.owners.reap()
    await this.#register()
    this.wake()
  }

  pause(): void {
    if (this.#state === 'taking') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'taking'
    this.#turn()
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#cancelTimer()
    await this.#taking
    if (this.#registered) await this.#queue.owners.leave(this.#owner)
    this.#open.clear()
    this.#keys.clear()
    this.#queue.onOwner(this.#owner, undefined)
  }

  /** Something may be there: look, and take what there is room for. */
  wake(): void {
    if (this.#failures > 0) return
    if (this.#taking) {
      this.#again = true
      return
    }
    const pause = this.#barren > 0 ? Math.min(2 ** (this.#barren - 1), BARREN) : this.#isWorth() ? 0 : CRAMPED
    const rest = this.#looked + pause - this.#queue.environment.runtime.elapsed()
    if (rest <= 0) this.#turn()
    else this.#turnIn(rest)
  }

  /** A transaction has settled one of the rows, or found that it is not ours any more. */
  settled(queueId: number): void {
    const key = this.#open.get(queueId)
    if (!this.#open.delete(queueId)) return
    const left = typeof key === 'string' ? this.#leave(key) : 0
    if (left > this.#perKey / 2 || !this.#isWorth()) return // it gets no more yet
    this.wake()
  }

  /** How many of the key are left. */
  #leave(key: string): number {
    const left = (this.#keys.get(key) ?? 1) - 1
    if (left > 0) this.#keys.set(key, left)
    else this.#keys.delete(key)
    return left
  }

  #isWorth(): boolean {
    return this.#room() >= this.#options.prefetch * WORTH
  }

  #room(): number {
    return this.#options.prefetch - this.#open.size
  }

  #turn(): void {
    if (this.#state !== 'taking') return
    if (this.#taking) {
      this.#again = true
      return
    }
    this.#cancelTimer()
    this.#taking = this.#take()
      .then(
        (more) => {
          this.#failures = 0
          return more
        },
        (error) => {
          this.#failures += 1
          this.#options.onError?.(error)
          return false
        },
      )
      .then((more) => {
        this.#taking = undefined
        const again = (this.#again || more) && this.#failures === 0 && this.#room() > 0
        this.#again = false
        if (again) this.wake()
        else this.#rest()
      })
  }

  #rest(): void {
    if (this.#state !== 'taking') return
    const { runtime, settings } = this.#queue.environment
    const pause = this.#failures > 0 ? outageDelay(this.#failures, runtime.random) : settings.poll
    this.#turnIn(this.#room() > 0 ? Math.min(pause, this.#queue.delayed.wait()) : pause)
  }

  #turnIn(ms: number): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#queue.environment.runtime.after(ms, () => this.#turn())
  }

  /** True: there may be more. */
  async #take(): Promise<boolean> {
    const { environment, low, delayed } = this.#queue
    const limit = this.#room()
    if (limit <= 0) return false
    if (!this.#registered) await this.#register()
    low.hint()
    await delayed.ripen()
    const owner = this.#owner
    const connection = await environment.writer.connection()
    const wish = {
      channel: this.#channel,
      owner,
      limit,
      perKey: this.#perKey,
      low: low.of(this.#channel),
      lanes: guards(environment, 'lane-order'),
    }
    const rows = await this.#doubt.around(
      () => connection.run(GIVE_UP, [owner, [...this.#open.keys()]]),
      () => this.#choice.take(connection, wish),
    )
    if (!rows) {
      this.#queue.owners.drop(owner)
      return true
    }
    this.#barren = rows.length > 0 ? 0 : this.#barren + 1
    this.#looked = environment.runtime.elapsed()
    if (rows.length === 0) return false
    if (this.#state !== 'taking' || owner !== this.#owner) {
      const ids = rows.map(({ id }) => id)
      await giveBack(connection, owner, ids)
      return false
    }
    for (const { id, key } of rows) {
      this.#open.set(id, key)
      if (key !== null) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1)
    }
    this.#options.onDeliveries(rows.map((row) => this.#delivery(row, owner)))
    return rows.length === limit
  }

  #delivery(row: TakenRow, owner: string): BrokerDelivery {
    const { id, taken } = row
    return {
      body: bodyOfRow(row),
      redelivered: taken,
      settlement: { queueId: id, owner },
      ack: async () => {
        const { environment } = this.#queue
        if (!this.#open.has(id) || owner !== this.#owner) return
        const fenced = guards(environment, 'settlement-fence')
        await settle(await environment.writer.connection(), [{ queueId: id, owner }], fenced)
        this.settled(id)
        environment.news()
      },
    }
  }

  async #register(): Promise<void> {
    const owner = this.#owner
    await this.#queue.owners.ensure(owner, this.#channel, () => this.#lost(owner))
    this.#registered = true
    this.#queue.onOwner(owner, this)
  }

  /** Others took this one for dead and have its rows: what is open will not be settled here. It begins anew. */
  #lost(owner: string): void {
    if (owner !== this.#owner || !this.#registered) return
    this.#queue.onOwner(owner, undefined)
    this.#open.clear()
    this.#keys.clear()
    this.#owner = this.#queue.environment.runtime.id()
    this.#registered = false
    this.wake()
  }
}
