import { type BrokerDelivery, outageDelay, type SubscribeOptions, type Subscription } from 'obverse'
import { Choice, oldest } from './choice.ts'
import type { Connection } from './connection.ts'
import { guards, type OpenFile } from './environment.ts'
import type { Owners } from './owners.ts'
import { type Chosen, giveBack, hasDue, hasReady, nextDue, ripen, settle, type TakenRow, take } from './queue.ts'

/** Milliseconds of rest after a look that found only rows of keys that others are at. */
const BARREN = 5
/** Rows of one key at once, at most: this part of the prefetch, so that one busy key leaves room for all others. */
const PER_KEY = 1 / 8
const PER_KEY_LEAST = 8

/**
 * One consumer of a channel: takes rows up to its prefetch, and has them until they are settled or given back. With
 * `settlements` the transaction of a handler may settle them; without, only their acknowledgement does.
 */
export class QueueSubscription implements Subscription {
  readonly #environment: OpenFile
  readonly #owners: Owners
  readonly #channel: string
  readonly #options: SubscribeOptions
  /** What was delivered and is not settled, with its key. */
  readonly #open = new Map<number, string | null>()
  readonly #perKey: number
  readonly #choice = new Choice()
  readonly #onOwner: (owner: string, subscription: QueueSubscription | undefined) => void
  readonly #settlements: boolean
  #owner: string
  #registered = false
  #state: 'taking' | 'paused' | 'closed' = 'taking'
  #taking: Promise<void> | undefined
  #again = false
  #failures = 0
  #restUntil = 0
  #cancelTimer: () => void = () => {}

  constructor(
    environment: OpenFile,
    owners: Owners,
    channel: string,
    options: SubscribeOptions,
    settlements: boolean,
    onOwner: (owner: string, subscription: QueueSubscription | undefined) => void,
  ) {
    this.#environment = environment
    this.#owners = owners
    this.#channel = channel
    this.#options = options
    this.#settlements = settlements
    this.#onOwner = onOwner
    this.#owner = environment.runtime.id()
    this.#perKey = Math.max(PER_KEY_LEAST, Math.ceil(options.prefetch * PER_KEY))
  }

  async start(): Promise<void> {
    await this.#owners.reap()
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
    const { writer } = this.#environment
    if (this.#registered) await writer.submit(() => this.#owners.leave(writer.connection, this.#owner))
    this.#open.clear()
    this.#onOwner(this.#owner, undefined)
  }

  /** Something may be there: look, and take what there is room for. */
  wake(): void {
    if (this.#failures > 0) return
    const rest = this.#restUntil === 0 ? 0 : this.#restUntil - this.#environment.runtime.elapsed()
    if (rest <= 0) this.#turn()
    else if (!this.#taking) this.#turnIn(rest)
  }

  /** A transaction has settled one of the rows, or found that it is not ours any more. */
  settled(queueId: number): void {
    const key = this.#open.get(queueId)
    if (!this.#open.delete(queueId) || this.#room() < this.#options.prefetch / 4) return
    if (typeof key === 'string' && this.#countOf(key) > this.#perKey / 2) return // it gets no more yet
    this.wake()
  }

  #countOf(key: string): number {
    let count = 0
    for (const open of this.#open.values()) if (open === key) count += 1
    return count
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
    const { runtime, settings } = this.#environment
    const pause = this.#failures > 0 ? outageDelay(this.#failures, runtime.random) : settings.poll
    this.#turnIn(this.#room() > 0 ? Math.min(pause, this.#untilDue()) : pause)
  }

  /** Milliseconds until a delayed message is due. */
  #untilDue(): number {
    const { runtime, writer } = this.#environment
    try {
      const due = nextDue(writer.connection)
      return due === undefined ? Number.POSITIVE_INFINITY : Math.max(1, due - runtime.now())
    } catch {
      return Number.POSITIVE_INFINITY // the next look meets the same outage, and tells of it
    }
  }

  #turnIn(ms: number): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#environment.runtime.after(ms, () => this.#turn())
  }

  /** True: there may be more. */
  async #take(): Promise<boolean> {
    const { runtime, writer } = this.#environment
    const limit = this.#room()
    if (limit <= 0) return false
    if (!this.#registered) await this.#register()
    if (!hasReady(writer.connection, this.#channel, runtime.now())) return false
    const owner = this.#owner
    // after a look that found nothing to take, a second one does not begin a transaction for that
    if (this.#restUntil > 0 && !hasDue(writer.connection, runtime.now())) {
      this.#restUntil = runtime.elapsed() + BARREN
      if (this.#choose(writer.connection, limit).length === 0) return false
    }
    const rows = await writer.submit(
      () => {
        const { connection: c } = writer
        if (!this.#owners.isKnown(c, owner)) return undefined
        ripen(c, runtime.now())
        return take(c, this.#channel, owner, this.#choose(c, limit))
      },
      { news: false },
    )
    if (!rows) {
      this.#lost(owner)
      return true
    }
    this.#restUntil = rows.length === 0 ? runtime.elapsed() + BARREN : 0
    if (rows.length === 0) return false
    if (this.#state !== 'taking' || owner !== this.#owner) {
      const ids = rows.map(({ id }) => id)
      await writer.submit(() => giveBack(writer.connection, owner, ids))
      return false
    }
    for (const { id, key } of rows) this.#open.set(id, key)
    this.#options.onDeliveries(rows.map((row) => this.#delivery(row, owner)))
    return rows.length === limit
  }

  #choose(c: Connection, limit: number): Chosen[] {
    if (!guards(this.#environment, 'lane-order')) return oldest(c, this.#channel, limit)
    return this.#choice.choose(c, { channel: this.#channel, owner: this.#owner, limit, perKey: this.#perKey })
  }

  #delivery({ id, taken, body }: TakenRow, owner: string): BrokerDelivery {
    return {
      body,
      redelivered: taken === 1,
      ...(this.#settlements && { settlement: { queueId: id, owner } }),
      ack: async () => {
        const { writer } = this.#environment
        if (!this.#open.has(id) || owner !== this.#owner) return
        const fenced = guards(this.#environment, 'settlement-fence')
        await writer.submit(() => settle(writer.connection, id, owner, fenced))
        this.settled(id)
      },
    }
  }

  async #register(): Promise<void> {
    const { writer } = this.#environment
    const owner = this.#owner
    await writer.submit(() => this.#owners.ensure(writer.connection, owner, this.#channel), { news: false })
    this.#registered = true
    this.#owners.ensured(owner, () => this.#lost(owner))
    this.#onOwner(owner, this)
  }

  /** Others took this one for dead and have its rows: what is open will not be settled here. It begins anew. */
  #lost(owner: string): void {
    if (owner !== this.#owner || !this.#registered) return
    this.#onOwner(owner, undefined)
    this.#open.clear()
    this.#owner = this.#environment.runtime.id()
    this.#registered = false
    this.wake()
  }
}
