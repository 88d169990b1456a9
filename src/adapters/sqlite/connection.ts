import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

export type SqlValue = SQLInputValue

/**
 * One connection with its prepared statements. They are kept for ever, keyed by their text: use it for statements of
 * ours, of which there is a fixed number.
 */
export class Connection {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  get<T>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.prepare(sql).get(...values) as T | undefined
  }

  all<T>(sql: string, ...values: SqlValue[]): T[] {
    return this.prepare(sql).all(...values) as T[]
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.prepare(sql).run(...values).changes as number
  }

  /** Returns the row id of what was inserted. */
  insert(sql: string, ...values: SqlValue[]): number {
    return this.prepare(sql).run(...values).lastInsertRowid as number
  }

  close(): void {
    this.#statements.clear()
    if (this.db.isOpen) this.db.close()
  }
}

/** The connection that writes; `busy_timeout` is 0, because waiting for a lock must not stop the event loop. */
export function connectWriter(file: string, synchronous: 'FULL' | 'NORMAL'): Connection {
  const db = new DatabaseSync(file, { timeout: 0 })
  try {
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = -32768;
       PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000; SELECT count(*) FROM sqlite_schema`,
    )
    return new Connection(db)
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * The connection that reads: every statement sees the last commit, whatever the writer is at. A reader waits only
 * while the file is recovered after a crash; 100 ms of that are waited for in place.
 */
export function connectReader(file: string): Connection {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 100 })
  try {
    db.exec('PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_schema')
    return new Connection(db)
  } catch (error) {
    db.close()
    throw error
  }
}
