import type { Op } from './ledger/messages.ts'
import type { Load } from './load.ts'
import type { Member } from './member.ts'
import type { Rows } from './rows.ts'

interface Pending {
  readonly at: number
  readonly rows: readonly (readonly number[])[]
  readonly ops: readonly Op[]
}

/** How long it takes until others go on with what a killed process had in hand. */
export class Recovery {
  readonly #rows: Rows
  readonly #load: Load
  readonly #times: number[] = []
  #pending: Pending[] = []
  readonly #timer: NodeJS.Timeout

  constructor(rows: Rows, load: Load) {
    this.#rows = rows
    this.#load = load
    this.#timer = setInterval(() => this.#look(), 5)
  }

  killed(member: Member): void {
    const rows = this.#rows.inHand(member.pid)
    this.expect(rows, this.#load.takeBack(member))
  }

  /** Somebody else should go on with these. */
  expect(rows: Pending['rows'], ops: Pending['ops'] = []): void {
    if (ops.length > 0 || lengthOf(rows) > 0) this.#pending.push({ at: performance.now(), rows, ops })
  }

  /** Milliseconds, sorted. */
  close(): readonly number[] {
    clearInterval(this.#timer)
    return this.#times.toSorted((a, b) => a - b)
  }

  #look(): void {
    const now = performance.now()
    this.#pending = this.#pending.filter(({ at, rows, ops }) => {
      const goesOn = ops.some(({ opId }) => this.#load.answered.has(opId)) || this.#rows.left(rows) < lengthOf(rows)
      if (goesOn) this.#times.push(now - at)
      return !goesOn
    })
  }
}

function lengthOf(rows: readonly (readonly number[])[]): number {
  return rows.reduce((sum, ids) => sum + ids.length, 0)
}
