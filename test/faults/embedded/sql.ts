import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Sql } from '../sql.ts'

/** A SQLite file, read only, opened by the first look: the processes make it. */
export function sqliteFile(file: string): Sql {
  let db: DatabaseSync | undefined
  const statements = new Map<string, StatementSync>()
  return {
    dialect: 'sqlite',
    async all<Row>(text: string, ...values: readonly (string | number)[]) {
      db ??= new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
      const statement = statements.get(text) ?? db.prepare(text)
      statements.set(text, statement)
      return statement.all(...values) as Row[]
    },
    async close() {
      db?.close()
    },
  }
}
