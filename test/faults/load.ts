import type { Fleet } from './fleet.ts'
import type { Op } from './ledger/messages.ts'
import type { Notice } from './ledger/protocol.ts'
import type { Member } from './member.ts'

/** Operations under way at once, and queued messages beyond which the senders wait. */
const WINDOW = 6
const BACKLOG = 40
const KEYS = 9

/** A sender that never forgets: what was not answered is sent again, under the same idempotency key. */
export class Load {
  readonly sent: Map<string, Op> = new Map()
  /** The number each operation was answered with. */
  readonly answered: Map<string, number> = new Map()
  readonly refused: string[] = []
  readonly #fleet: Fleet
  readonly #random: () => number
  readonly #flaky: number
  readonly #backlog: () => number
  readonly #again: Op[] = []
  #timer: NodeJS.Timeout | undefined
  #going = true

  constructor(fleet: Fleet, options: { random: () => number; flaky: number; backlog: () => number }) {
    this.#fleet = fleet
    this.#random = options.random
    this.#flaky = options.flaky
    this.#backlog = options.backlog
  }

  start(): void {
    this.#timer = setInterval(() => this.#turn(), 5)
  }

  /** No new operations; those that were begun are brought to their answer. */
  end(): void {
    this.#going = false
  }

  /** One more, beside the others. */
  add(op: Op): void {
    this.sent.set(op.opId, op)
    this.#again.push(op)
  }

  get settled(): boolean {
    return this.answered.size + this.refused.length >= this.sent.size
  }

  close(): void {
    clearInterval(this.#timer)
  }

  answer(notice: Extract<Notice, { is: 'answered' | 'refused' }>, by: Member): void {
    by.inFlight.delete(notice.opId)
    if (notice.is === 'answered') this.answered.set(notice.opId, notice.number)
    else this.refused.push(`${notice.opId}: ${notice.reason}`)
  }

  /** What it had not answered goes to another. */
  takeBack(member: Member): readonly Op[] {
    const ops = [...member.inFlight.values()]
    member.inFlight.clear()
    this.#again.push(...ops)
    return ops
  }

  #turn(): void {
    const apis = this.#fleet.ready('api')
    if (apis.length === 0) return
    const full = this.#backlog() > BACKLOG
    for (const api of apis) {
      while (api.inFlight.size < WINDOW) {
        const op = this.#again.shift() ?? (this.#going && !full ? this.#next() : undefined)
        if (!op) return
        api.inFlight.set(op.opId, op)
        api.tell({ do: 'send', op })
      }
    }
  }

  #next(): Op {
    const count = this.sent.size + 1
    const opId = `op-${count}`
    const amount = 1 + Math.floor(this.#random() * 100)
    const op: Op = {
      opId,
      key: `key-${Math.floor(this.#random() * KEYS)}`,
      amount,
      ...(count % this.#flaky === 0 && { flaky: true }),
    }
    this.sent.set(opId, op)
    return op
  }
}
