/** Sends one acknowledgement: of a delivery, or of it and every earlier one that is still open. */
export type SendAcknowledgement = (tag: number, andEarlier: boolean) => void

/**
 * What of one AMQP channel's deliveries, numbered from 1, has been settled. A cumulative acknowledgement is half the work of single ones, and
 * loses messages if anything below it still runs: it is sent for what is settled without a gap from the very first delivery on, and never
 * beyond. All else is acknowledged one by one.
 */
export class Acknowledgements {
  readonly #send: SendAcknowledgement
  /** Everything up to here has been acknowledged. */
  #low = 0
  /** Beyond it, acknowledged alone. */
  readonly #alone = new Set<number>()
  /** Settled, and still to be acknowledged. */
  readonly #settled = new Set<number>()

  constructor(send: SendAcknowledgement) {
    this.#send = send
  }

  /** True: it is the first since `flush`. */
  settle(tag: number): boolean {
    this.#settled.add(tag)
    return this.#settled.size === 1
  }

  flush(): void {
    let count = 0
    let last = 0
    for (let tag = this.#low + 1; ; tag += 1) {
      if (this.#settled.delete(tag)) {
        count += 1
        last = tag
      } else if (!this.#alone.delete(tag)) {
        this.#low = tag - 1
        break
      }
    }
    // to the last one that is open: the server does not know the others any more
    if (count > 0) this.#send(last, count > 1)
    for (const tag of this.#settled) {
      this.#alone.add(tag)
      this.#send(tag, false)
    }
    this.#settled.clear()
  }
}
