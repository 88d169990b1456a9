import type { Line } from './line.ts'
import { type Statement, statement } from './statement.ts'

/**
 * Up to which number of a sequence every row of a table is visible or will never be. It is proven, not guessed: everybody
 * who could still commit one has ended. (Ids alone do not say it, for they are drawn before the commit; nor does the
 * oldest transaction, for an id is drawn before there is one.)
 */
export class Ceiling {
  readonly #drawn: Statement
  readonly #adding: Statement
  #value = 0
  #candidate: { readonly id: number; adding: ReadonlySet<string> } | undefined
  #made: number | undefined

  constructor(table: string, sequence: string) {
    this.#drawn = statement(
      `ceiling-${sequence}`,
      // none while nothing was drawn yet; and whoever may draw may ask, while to read it as a table takes another right
      `SELECT coalesce(pg_sequence_last_value('${sequence}'::regclass), 0) AS id, '${sequence}'::regclass::oid::bigint AS made`,
    )
    // whoever adds rows holds this lock from before the first number is drawn until the end of the transaction
    this.#adding = statement(
      `ceiling-${table}`,
      `SELECT DISTINCT virtualtransaction AS id FROM pg_locks
       WHERE locktype = 'relation' AND relation = '${table}'::regclass AND mode = 'RowExclusiveLock'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
  }

  get value(): number {
    return this.#value
  }

  /** False: the numbers have begun anew, and what was known before says nothing any more. */
  async look(reader: Line): Promise<boolean> {
    // in this order: who draws a number after the first answer is no concern of the second
    const [drawn, rows] = await Promise.all([
      reader.get<{ id: number; made: number }>(this.#drawn),
      reader.all<{ id: string }>(this.#adding),
    ])
    const { id = 0, made } = drawn ?? {}
    const anew = (this.#made !== undefined && this.#made !== made) || id < this.#value
    this.#made = made
    if (anew) {
      this.#value = 0
      this.#candidate = undefined
      return false
    }
    const adding = new Set(rows.map((row) => row.id))
    const before = this.#candidate
    const still = before?.adding.intersection(adding)
    if (before && still && still.size > 0) before.adding = still
    else {
      this.#value = before?.id ?? 0
      this.#candidate = { id, adding }
    }
    return true
  }
}
