import { settled, Timers } from '../clock.ts'
import { seededRandom } from '../random.ts'

/** Epoch ms at which every simulated run begins. */
export const START: number = Date.UTC(2025, 0)

/** Steps after which the machine has its turn. */
const BREATH = 500

/** Time and chance of one simulated run, and its schedule: what happened, in order. The same seed gives the same. */
export class World {
  readonly random: () => number
  /** Lines of the schedule; `undefined`: nobody reads it, so it is not written. */
  readonly lines: string[] | undefined
  /** Steps that were run. */
  steps = 0
  /** Of every step so far: two runs with the same number did the same. */
  fingerprint = 0
  /** Milliseconds since the start. */
  elapsed = 0
  readonly #timers = new Timers()

  constructor(seed: number, schedule: boolean) {
    this.random = seededRandom(seed)
    this.lines = schedule ? [] : undefined
  }

  chance(share: number): boolean {
    return share > 0 && this.random() < share
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least)
  }

  pick<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.random() * all.length)]
  }

  after(ms: number, work: () => void): () => void {
    return this.#timers.add(this.elapsed + Math.max(0, ms), work)
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** One line of the schedule. */
  note(who: string, what: string): void {
    this.lines?.push(`${this.elapsed.toFixed(1).padStart(9)} ms  ${who.padEnd(12)} ${what}`)
  }

  /** Lets time pass until `over`, one step after the other, each with all that follows from it. False: not within `limit` ms. */
  async run(over: () => boolean, limit: number): Promise<boolean> {
    const end = this.elapsed + limit
    for (;;) {
      await (this.steps % BREATH === 0 ? settled() : drained())
      if (over()) return true
      const next = this.#timers.next()
      if (next === undefined || next > end) return false
      this.elapsed = Math.max(this.elapsed, next)
      this.steps += 1
      this.fingerprint = (Math.imul(this.fingerprint, 31) + Math.floor(this.elapsed * 1_000)) | 0
      this.#timers.runNext(this.elapsed)
    }
  }
}

/** Resolves when no promise has anything to do any more: asked for by one of them, it is their turn first. No turn of the event loop is needed for that. */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
