import type { BrokerDelivery, SubscribeOptions } from 'obverse'

/** Deliveries of one AMQP channel, from its opening to its end. */
export interface Source {
  /** What was taken from it can still be settled. */
  live: boolean
  /** Handed over and not settled. */
  open: number
  /** Of the last acknowledgement, in elapsed milliseconds. */
  settledAt: number
  /** Of its first delivery, in elapsed milliseconds: from then on nobody else is given messages of its queue. */
  activeSince?: number
  /** Its last delivery was given back before, by somebody: the next one may have been too. */
  again?: boolean
}

interface Waiting {
  readonly source: Source
  readonly delivery: BrokerDelivery
}

/**
 * Stands between the AMQP channels of a subscription and its consumer: what came in one go is handed over in one go, in order, at most
 * `prefetch` unsettled whatever the number of partitions, and nothing while it is paused.
 */
export class Gate {
  readonly #options: SubscribeOptions
  #waiting: Waiting[] = []
  #open = 0
  #paused = false
  #closed = false
  #scheduled = false
  #waking = false
  #held: { readonly source: Source; readonly quiet: PromiseWithResolvers<void> } | undefined

  constructor(options: SubscribeOptions) {
    this.#options = options
  }

  /** Handed over and not settled. */
  get open(): number {
    return this.#open
  }

  /** Taken from the server, and not handed over. */
  get waiting(): number {
    return this.#waiting.length
  }

  arrived(source: Source, delivery: BrokerDelivery): void {
    this.#waiting.push({ source, delivery })
    this.#schedule()
  }

  settled(source: Source): void {
    if (!source.live) return
    source.open -= 1
    this.#open -= 1
    if (source.open === 0 && this.#held?.source === source) this.#held.quiet.resolve()
    if (this.#waiting.length > 0) this.#later()
  }

  /** Its AMQP channel is gone: what waits comes again, and what was handed over no longer counts. */
  gone(source: Source): void {
    if (!source.live) return
    source.live = false
    this.#open -= source.open
    this.#waiting = this.#waiting.filter((one) => one.source !== source)
    this.release(source)
  }

  /** Hands over nothing more of it, one source at a time. Resolves once nothing that was handed over is open, or it is gone, or released. */
  hold(source: Source): Promise<void> {
    const quiet = Promise.withResolvers<void>()
    if (!source.live || source.open === 0) quiet.resolve()
    if (source.live) this.#held = { source, quiet }
    return quiet.promise
  }

  /** Goes on with it. */
  release(source: Source): void {
    if (this.#held?.source === source) {
      this.#held.quiet.resolve()
      this.#held = undefined
    }
    this.#schedule()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#waiting = []
  }

  /** What is settled in one turn of the event loop makes room at once. */
  #later(): void {
    if (this.#waking) return
    this.#waking = true
    setImmediate(() => {
      this.#waking = false
      this.#schedule()
    })
  }

  /** The driver gives all that a read of the socket brought before any microtask runs. */
  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#closed) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#handOver()
    })
  }

  #handOver(): void {
    if (this.#paused || this.#closed) return
    const ready = this.#take(Math.max(0, this.#options.prefetch - this.#open))
    if (ready.length === 0) return
    this.#open += ready.length
    for (const { source } of ready) source.open += 1
    this.#options.onDeliveries(ready.map(({ delivery }) => delivery))
  }

  /** The first ones that are not held. */
  #take(room: number): readonly Waiting[] {
    const held = this.#held?.source
    if (!held) return this.#waiting.splice(0, room)
    const taken = new Set(this.#waiting.filter(({ source }) => source !== held).slice(0, room))
    this.#waiting = this.#waiting.filter((one) => !taken.has(one))
    return [...taken]
  }
}
