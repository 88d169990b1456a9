import type { Load } from './load.ts'
import type { Member } from './member.ts'
import type { Rows } from './rows.ts'

interface Pending {
  readonly at: number
  readonly oldest: string
}

/** How long it takes from a fault until the oldest operation is done that was open then. */
export class Recovery {
  /** Servers that were struck. */
  strikes = 0
  readonly #rows: Rows
  readonly #load: Load
  readonly #times: number[] = []
  #pending: readonly Pending[] = []
  #looking = false
  readonly #timer: NodeJS.Timeout

  constructor(rows: Rows, load: Load) {
    this.#rows = rows
    this.#load = load
    this.#timer = setInterval(() => this.#look(), 10)
  }

  /** A process has ended; what it had not answered goes to another. */
  killed(member: Member): void {
    const ops = this.#load.takeBack(member)
    this.expect(ops.map(({ opId }) => opId)).catch(() => {})
  }

  /** A fault is here, or about to be. Resolves with the operations that are open. */
  async expect(opIds: readonly string[] = []): Promise<readonly string[]> {
    const at = performance.now()
    const open = [...new Set([...(await this.#rows.open()), ...opIds])]
    if (open[0] !== undefined) this.#pending = [...this.#pending, { at, oldest: open[0] }]
    return open
  }

  /** Milliseconds, sorted. */
  close(): readonly number[] {
    clearInterval(this.#timer)
    return this.#times.toSorted((a, b) => a - b)
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      for (const pending of this.#pending) {
        if ((await this.#rows.done([pending.oldest])) === 0) continue
        this.#times.push(performance.now() - pending.at)
        this.#pending = this.#pending.filter((other) => other !== pending)
      }
    } catch {
      // a server is away: it is not done yet
    } finally {
      this.#looking = false
    }
  }
}
