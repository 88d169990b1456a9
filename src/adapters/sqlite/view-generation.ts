import {
  type FoundRow,
  isObverseError,
  type Lookup,
  type Question,
  type Scalar,
  type SearchQuestion,
  type StoredRow,
  type ViewShape,
  type ViewTable,
} from 'obverse'
import type { Connection, SqlValue } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import { find, size } from './lookup.ts'
import { columnValue } from './scalar.ts'
import { search } from './search.ts'
import { columnName, tableName } from './view-name.ts'
import { isMade, lookupFields, make } from './view-table.ts'
import { Words } from './words.ts'

/** The rows of one generation of one view. */
export class SqliteView implements ViewTable {
  readonly #environment: Environment
  readonly #shape: ViewShape
  readonly #generation: number
  readonly #table: string
  readonly #fields: readonly string[]
  readonly #load: string
  readonly #get: string
  readonly #count: string
  readonly #save: string
  readonly #guarded: string
  readonly #words: Words | undefined
  readonly #bySeq: boolean
  readonly #byPosition: boolean

  constructor(environment: Environment, shape: ViewShape, generation: number) {
    this.#environment = environment
    this.#shape = shape
    this.#generation = generation
    this.#fields = lookupFields(shape)
    const table = tableName(shape.name, generation)
    const columns = ['key', 'mark', 'data', ...this.#fields.map(columnName)]
    this.#table = table
    this.#load = `SELECT id, key, mark, data FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`
    this.#get = `SELECT data FROM ${table} WHERE id = ?`
    this.#count = `SELECT count(*) AS count FROM ${table} WHERE data IS NOT NULL`
    const values = `?${', ?'.repeat(columns.length)}`
    const changes = columns.map((column) => `${column} = excluded.${column}`)
    this.#words = shape.search && new Words(shape, shape.search.fields, generation)
    const number = this.#words?.number
    this.#save = `INSERT INTO ${table} (id, ${columns.join(', ')}${number ? `, ${number.name}` : ''})
      VALUES (${values}${number ? `, ${number.next}` : ''})
      ON CONFLICT (id) DO UPDATE SET ${[...changes, ...(number ? [number.keep] : [])].join(', ')}`
    this.#guarded = `${this.#save} WHERE excluded.mark > ${table}.mark
      AND (excluded.key IS NULL OR excluded.key IS ${table}.key)`
    this.#bySeq = guards(environment, 'guard-by-seq')
    this.#byPosition = guards(environment, 'guard-by-position')
  }

  async prepare(): Promise<void> {
    const { reader, writer } = this.#environment
    if (await reader.read((c) => isMade(c, this.#shape, this.#generation))) return
    await writer.submit(() => make(writer.connection, this.#shape, this.#generation))
  }

  load(ids: readonly string[]): Promise<readonly StoredRow[]> {
    return this.#made(() => this.#environment.reader.read((c) => this.loadFrom(c, ids)))
  }

  save(rows: readonly StoredRow[]): Promise<readonly string[]> {
    const { writer } = this.#environment
    return this.#made(() => writer.submit(() => this.saveTo(writer.connection, rows)))
  }

  get(id: string): Promise<Record<string, unknown> | undefined> {
    return this.#made(() =>
      this.#environment.reader.read((c) => {
        const data = c.get<{ data: string | null }>(this.#get, id)?.data
        return typeof data === 'string' ? (JSON.parse(data) as Record<string, unknown>) : undefined
      }),
    )
  }

  find(question: Question): Promise<readonly FoundRow[]> {
    return this.#made(() => this.#environment.reader.read((c) => find(c, this.#table, question)))
  }

  size(lookup: Lookup, equals: readonly Scalar[]): Promise<number> {
    return this.#made(() => this.#environment.reader.read((c) => size(c, this.#table, lookup, equals)))
  }

  search(question: SearchQuestion): Promise<readonly FoundRow[]> {
    return this.#made(() => this.#environment.reader.read((c) => search(c, this.#shape, this.#generation, question)))
  }

  count(): Promise<number> {
    return this.#made(() =>
      this.#environment.reader.read((c) => (c.get<{ count: number }>(this.#count) as { count: number }).count),
    )
  }

  loadFrom(c: Connection, ids: readonly string[]): StoredRow[] {
    const rows = c.all<Omit<StoredRow, 'data'> & { data: string | null }>(this.#load, JSON.stringify(ids))
    return rows.map(({ id, key, mark, data }) => ({
      id,
      key,
      mark,
      data: data === null ? null : (JSON.parse(data) as Record<string, unknown>),
    }))
  }

  /** Each row is refused by its own statement unless its mark is above that of the stored row, and its key the same. */
  saveTo(c: Connection, rows: readonly StoredRow[]): string[] {
    const refused: string[] = []
    for (const { id, key, mark, data } of rows) {
      const guarded = key === null ? this.#byPosition : this.#bySeq
      const values: SqlValue[] = [id, key, mark, data === null ? null : JSON.stringify(data)]
      for (const field of this.#fields) values.push(data === null ? null : columnValue(data[field]))
      const sql = guarded ? this.#guarded : this.#save
      if (!(this.#words ? this.#words.save(c, sql, values, data) : c.run(sql, ...values) > 0)) refused.push(id)
    }
    return refused
  }

  /** After a `reset` by another process the table is gone; it is made again and the work done once more. */
  async #made<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (!isObverseError(error, 'SCHEMA_OUTDATED')) throw error
      await this.prepare()
      return run()
    }
  }
}
