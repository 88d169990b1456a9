import type { BrokerDelivery, SubscribeOptions } from 'obverse'

/** Deliveries of one AMQP channel, from its opening to its end. */
export interface Source {
  /** What was taken from it can still be settled. */
  live: boolean
  /** Handed over and not settled. */
  open: number
  /** Of the last acknowledgement, in elapsed milliseconds. */
  settledAt: number
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
    if (this.#waiting.length > 0) this.#later()
  }

  /** Its AMQP channel is gone: what waits comes again, and what was handed over no longer counts. */
  gone(source: Source): void {
    if (!source.live) return
    source.live = false
    this.#open -= source.open
    this.#waiting = this.#waiting.filter((one) => one.source !== source)
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
    const ready = this.#waiting.splice(0, Math.max(0, this.#options.prefetch - this.#open))
    if (ready.length === 0) return
    this.#open += ready.length
    for (const { source } of ready) source.open += 1
    this.#options.onDeliveries(ready.map(({ delivery }) => delivery))
  }
}
