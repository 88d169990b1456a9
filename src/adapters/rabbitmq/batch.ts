import type { ObverseError, Published, PublishOutcome } from 'obverse'

/** Messages that are published by one call, and what becomes of each. */
export class Batch {
  readonly messages: readonly Published[]
  /** By place: one message may go to several channels. */
  readonly #outcomes: PublishOutcome[] = []
  readonly #result = Promise.withResolvers<readonly PublishOutcome[]>()
  /** Place of the message that is written next. */
  next = 0
  #left: number
  #over = false

  constructor(messages: readonly Published[]) {
    this.messages = messages
    this.#left = messages.length
  }

  /** Of every message, in the order given; rejects when of one nothing is known. */
  get result(): Promise<readonly PublishOutcome[]> {
    return this.#result.promise
  }

  /** Nobody waits for it any more. */
  get over(): boolean {
    return this.#over
  }

  get left(): number {
    return this.#left
  }

  isSettled(place: number): boolean {
    return this.#outcomes[place] !== undefined
  }

  settle(place: number, returned: string | undefined): void {
    if (this.#over) return
    const { messageId } = this.messages[place] as Published
    this.#outcomes[place] =
      returned === undefined ? { messageId, kind: 'confirmed' } : { messageId, kind: 'returned', reason: returned }
    this.#left -= 1
    if (this.#left > 0) return
    this.#over = true
    this.#result.resolve(this.#outcomes)
  }

  fail(error: ObverseError): void {
    this.#over = true
    this.#result.reject(error)
  }
}
