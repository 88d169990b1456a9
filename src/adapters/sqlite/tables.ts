import type { StatementSync } from 'node:sqlite'
import { ObverseError, type SqlResult } from 'obverse'
import type { Connection, SqlValue } from './connection.ts'
import { isConstraint } from './errors.ts'

/** Distinct statements of the application that stay prepared. */
const KEPT = 500
const BLANK = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/
/** Would end, split or escape the transaction that the statement is part of. */
const REFUSED = /^(?:begin|commit|end|rollback|savepoint|release|pragma|attach|detach|vacuum)\b/i

interface Prepared {
  readonly statement: StatementSync
  readonly reads: boolean
}

/** Runs statements of the application on the writing connection, inside whatever transaction is open there. */
export class Tables {
  readonly #connection: Connection
  readonly #kept = new Map<string, Prepared>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** False: a statement has ended the transaction that it was part of; what ran now would be kept by itself. */
  get inTransaction(): boolean {
    return this.#connection.db.isTransaction
  }

  /**
   * One statement with parameters, or several without. Booleans become 1 and 0, dates ISO texts.
   *
   * @throws {ObverseError} `CONFIGURATION_INVALID` for a statement that would leave the transaction, and for any after
   * one that has ended it
   */
  execute(sql: string, parameters: readonly unknown[]): SqlResult {
    if (!this.inTransaction) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `${short(sql)} comes too late: a statement before it rolled back the whole transaction`,
      )
    }
    const kept = this.#kept.get(sql)
    if (kept) return this.#run(kept, parameters)
    let rest = sql.replace(BLANK, '')
    if (rest === '') return { rows: [] }
    let result: SqlResult = { rows: [] }
    for (let first = true; rest !== ''; first = false) {
      const prepared = this.#prepare(rest)
      rest = rest.slice(prepared.statement.sourceSQL.length).replace(BLANK, '')
      if (first && rest === '') this.#keep(sql, prepared)
      else if (parameters.length > 0) {
        throw new ObverseError(
          'CONFIGURATION_INVALID',
          `Parameters were given to several statements at once (${short(sql)}); execute them one by one`,
        )
      }
      result = this.#run(prepared, parameters)
    }
    return result
  }

  #prepare(sql: string): Prepared {
    if (REFUSED.test(sql)) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `${short(sql)} cannot run here: the transaction, its connection and its commit belong to the store`,
      )
    }
    const statement = this.#connection.db.prepare(sql)
    return { statement, reads: statement.columns().length > 0 }
  }

  #keep(sql: string, prepared: Prepared): void {
    if (this.#kept.size >= KEPT) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest)
        break
      }
    }
    this.#kept.set(sql, prepared)
  }

  #run({ statement, reads }: Prepared, parameters: readonly unknown[]): SqlResult {
    const values = parameters.map(bindable)
    if (reads) {
      const rows = this.#execute(statement, () => statement.all(...values))
      return { rows: rows.map((row) => ({ ...row })) }
    }
    const { changes, lastInsertRowid } = this.#execute(statement, () => statement.run(...values))
    return { rows: [], changes: BigInt(changes), lastInsertId: BigInt(lastInsertRowid) }
  }

  /** `INSERT OR ROLLBACK` and triggers that raise ROLLBACK end the transaction for everybody in it; so does a full disk. */
  #execute<T>(statement: StatementSync, run: () => T): T {
    let cause: unknown
    try {
      const result = run()
      if (this.inTransaction) return result
    } catch (error) {
      if (this.inTransaction || !isConstraint(error)) throw error
      cause = error
    }
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `${short(statement.sourceSQL)} rolled back the whole transaction, with what others had written in it; use ABORT instead of ROLLBACK`,
      { cause },
    )
  }
}

function bindable(value: unknown): SqlValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return value as SqlValue
}

function short(sql: string): string {
  const line = sql.trim().replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 60)}…` : line
}
