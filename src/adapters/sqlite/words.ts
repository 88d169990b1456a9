import { type ViewShape, wordsOf } from 'obverse'
import type { Connection, SqlValue } from './connection.ts'
import { columnName, tableName, wordsName } from './view-name.ts'

/** The column that ties a row to its words: row ids of SQLite do not outlive a VACUUM. */
export const NUMBER = 'number'

const SQL_OF = `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`

/** The words of one generation of a view, kept with its rows by the same transaction. */
export class Words {
  /** The column's name, the number of a new row, and how a row that is saved again keeps its own. */
  readonly number: { readonly name: string; readonly next: string; readonly keep: string }
  readonly #fields: readonly string[]
  readonly #put: string
  readonly #remove: string

  constructor({ name }: ViewShape, fields: readonly string[], generation: number) {
    const [rows, words] = [tableName(name, generation), wordsName(name, generation)]
    this.number = {
      name: NUMBER,
      next: `(SELECT coalesce(max(${NUMBER}), 0) + 1 FROM ${rows})`,
      keep: `${NUMBER} = coalesce(${rows}.${NUMBER}, excluded.${NUMBER})`,
    }
    this.#fields = fields
    this.#put = `INSERT OR REPLACE INTO ${words} (rowid, ${fields.map(columnName).join(', ')})
      VALUES (?${', ?'.repeat(fields.length)})`
    this.#remove = `DELETE FROM ${words} WHERE rowid = ?`
  }

  /** Saves a row by `sql`, and its words; false if the row was refused. */
  save(c: Connection, sql: string, values: readonly SqlValue[], data: Record<string, unknown> | null): boolean {
    const saved = c.get<{ number: number }>(`${sql} RETURNING ${NUMBER}`, ...values)
    if (!saved) return false
    if (data === null) c.run(this.#remove, saved.number)
    else this.put(c, saved.number, data)
    return true
  }

  put(c: Connection, number: number, data: Record<string, unknown>): void {
    c.run(this.#put, number, ...this.#fields.map((field) => wordsOf(data[field]).join(' ')))
  }
}

/** Words come folded and apart: what is not ASCII is part of a word, whatever Unicode this SQLite knows. */
function wordsTable({ name, search }: ViewShape, generation: number): string | undefined {
  return (
    search &&
    `CREATE VIRTUAL TABLE ${wordsName(name, generation)} USING fts5(${search.fields.map(columnName).join(', ')}, ` +
      `content = '', contentless_delete = 1, detail = 'column', tokenize = 'ascii')`
  )
}

/** Is what the view searches indexed, and nothing else? */
export function areWordsMade(c: Connection, shape: ViewShape, generation: number): boolean {
  return (
    c.get<{ sql: string }>(SQL_OF, wordsName(shape.name, generation).slice(1, -1))?.sql ===
    wordsTable(shape, generation)
  )
}

/** Makes the table anew, with the words of the rows that are there; takes it away if nothing is searched any more. */
export function makeWords(c: Connection, shape: ViewShape, generation: number): void {
  const { name, search } = shape
  const table = wordsTable(shape, generation)
  c.db.exec(`DROP TABLE IF EXISTS ${wordsName(name, generation)}`)
  if (!search || !table) return
  c.db.exec(table)
  const rows = tableName(name, generation)
  c.db.exec(`UPDATE ${rows} SET ${NUMBER} = rowid`)
  const words = new Words(shape, search.fields, generation)
  const live = c.db.prepare(`SELECT ${NUMBER} AS number, data FROM ${rows} WHERE data IS NOT NULL`)
  for (const { number, data } of live.iterate() as Iterable<{ number: number; data: string }>) {
    words.put(c, number, JSON.parse(data) as Record<string, unknown>)
  }
}
