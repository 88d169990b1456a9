import { setTimeout as pause } from 'node:timers/promises'
import type { Fleet } from './fleet.ts'
import type { Op } from './ledger/messages.ts'
import type { Notice } from './ledger/protocol.ts'
import type { Member } from './member.ts'

/** Operations under way at once. */
const WINDOW = 6
/** Milliseconds before what could not be done is sent again, at most. */
const PATIENCE = 100

export interface LoadOptions {
  readonly random: () => number
  /** One of so many operations fails once. */
  readonly flaky: number
  /** Among how many keys operations are divided. */
  readonly keys: number
  /** The share of operations whose command fails. */
  readonly doomed: number
  /** Queued messages, … */
  readonly backlog: () => Promise<number>
  /** … and how many of them make the senders wait, from the beginning. */
  readonly most: number
}

export type Reply = Extract<Notice, { is: 'answered' | 'again' | 'undone' | 'refused' }>

/** A sender that never forgets: what was not answered is sent again, under the same idempotency key. */
export class Load {
  readonly sent: Map<string, Op> = new Map()
  /** The number each operation was answered with. */
  readonly answered: Map<string, number> = new Map()
  /** Operations of which it was answered that nothing of them is done. */
  readonly undone: Set<string> = new Set()
  readonly refused: string[] = []
  /** Operations that were sent again because an error said that nothing is known, or that somebody else was faster. */
  repeated = 0
  #most: number
  readonly #fleet: Fleet
  readonly #options: LoadOptions
  readonly #again: Op[] = []
  #timer: NodeJS.Timeout | undefined
  #going = true
  #full = false
  #looking = false

  constructor(fleet: Fleet, options: LoadOptions) {
    this.#fleet = fleet
    this.#options = options
    this.#most = options.most
  }

  start(): void {
    this.#timer = setInterval(() => this.#turn(), 5)
  }

  /** No new operations; those that were begun are brought to their answer. */
  end(): void {
    this.#going = false
  }

  /** After `end`. */
  goOn(): void {
    this.#going = true
  }

  /** Lets so many messages more be queued, until they are taken back with a number below 0. */
  makeRoom(messages: number): void {
    this.#most += messages
  }

  /** One more, beside the others. */
  add(op: Op): void {
    this.sent.set(op.opId, op)
    this.#again.push(op)
  }

  get settled(): boolean {
    return this.answered.size + this.undone.size + this.refused.length >= this.sent.size
  }

  close(): void {
    clearInterval(this.#timer)
  }

  answer(reply: Reply, by: Member): void {
    const { opId } = reply
    const op = by.inFlight.get(opId)
    by.inFlight.delete(opId)
    if (reply.is === 'answered') this.answered.set(opId, reply.number)
    else if (reply.is === 'undone') this.undone.add(opId)
    else if (reply.is === 'refused') this.refused.push(`${opId}: ${reply.reason}`)
    else if (op) void this.#repeat(op)
  }

  /** What it had not answered goes to another. */
  takeBack(member: Member): readonly Op[] {
    const ops = [...member.inFlight.values()]
    member.inFlight.clear()
    this.#again.push(...ops)
    return ops
  }

  async #repeat(op: Op): Promise<void> {
    this.repeated += 1
    await pause(this.#options.random() * PATIENCE)
    this.#again.push(op)
  }

  #turn(): void {
    void this.#look()
    const apis = this.#fleet.ready('api')
    if (apis.length === 0) return
    for (const api of apis) {
      while (api.inFlight.size < WINDOW) {
        const op = this.#again.shift() ?? (this.#going && !this.#full ? this.#next() : undefined)
        if (!op) return
        api.inFlight.set(op.opId, op)
        api.tell({ do: 'send', op })
      }
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      this.#full = (await this.#options.backlog()) > this.#most
    } catch {
      // a server is away: what was seen last has to do
    } finally {
      this.#looking = false
    }
  }

  #next(): Op {
    const { random, flaky, doomed, keys } = this.#options
    const count = this.sent.size + 1
    const opId = `op-${count}`
    const amount = 1 + Math.floor(random() * 100)
    const op: Op = {
      opId,
      key: `key-${Math.floor(random() * keys)}`,
      amount,
      ...(count % flaky === 0 && { flaky: true }),
      ...(doomed > 0 && random() < doomed && { doomed: true }),
    }
    this.sent.set(opId, op)
    return op
  }
}
