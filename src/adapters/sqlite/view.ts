import {
  type FoundRow,
  type InlineRows,
  isObverseError,
  ObverseError,
  type Question,
  type StoredRow,
  type ViewShape,
  type ViewStore,
  type ViewTable,
} from 'obverse'
import { generationOf } from './checkpoint.ts'
import type { Connection, SqlValue } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import { readAfter, readBetween } from './log.ts'
import { find } from './lookup.ts'
import { columnValue } from './scalar.ts'
import { columnName, tableName } from './view-name.ts'
import { isMade, lookupFields, make } from './view-table.ts'

/** The views of a file: a table for each generation, a column for each look-up field. */
export class SqliteViews implements ViewStore, InlineRows {
  readonly name = 'sqlite'
  readonly history: NonNullable<InlineRows['history']>
  readonly #environment: Environment
  readonly #tables = new Map<string, SqliteView>()
  readonly #shapes = new Map<string, ViewShape>()

  constructor(environment: Environment) {
    this.#environment = environment
    const { registry, writer } = environment
    this.history = {
      between: (ranges, types) => readBetween(writer.connection, registry, ranges, types),
      after: (after, limit, types) => readAfter(writer.connection, registry, after, limit, types),
    }
  }

  /** As the open transaction sees it: a switch that was committed before it has happened, whoever committed it. */
  serving(view: string): number {
    return generationOf(this.#environment.writer.connection, view).serving
  }

  async open(shape: ViewShape, generation: number): Promise<ViewTable> {
    const view = new SqliteView(this.#environment, shape, generation)
    await view.prepare()
    this.#shapes.set(shape.name, shape)
    this.#tables.set(tableName(shape.name, generation), view)
    return view
  }

  async drop(shape: ViewShape, generation: number): Promise<void> {
    const { writer } = this.#environment
    const table = tableName(shape.name, generation)
    this.#tables.delete(table)
    await writer.submit(() => writer.connection.db.exec(`DROP TABLE IF EXISTS ${table}`))
  }

  lacks(): readonly string[] {
    return []
  }

  /** Rows inside the open transaction: answers come at once. */
  table(view: string, generation: number): ReturnType<InlineRows['table']> {
    const table = this.#tables.get(tableName(view, generation)) ?? this.#madeElsewhere(view, generation)
    const { connection } = this.#environment.writer
    if (!table) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `Generation ${generation} of the view ${view} is filled inside a transaction but was not opened in this store`,
      )
    }
    return {
      load: (ids) => table.loadFrom(connection, ids),
      save: (rows) => table.saveTo(connection, rows as readonly StoredRow[]),
    }
  }

  /** Another process has built this generation, and switched to it a moment ago. */
  #madeElsewhere(view: string, generation: number): SqliteView | undefined {
    const shape = this.#shapes.get(view)
    if (!shape || !isMade(this.#environment.writer.connection, shape, generation)) return undefined
    const table = new SqliteView(this.#environment, shape, generation)
    this.#tables.set(tableName(view, generation), table)
    return table
  }
}

class SqliteView implements ViewTable {
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
    this.#save = `INSERT INTO ${table} (id, ${columns.join(', ')}) VALUES (?${', ?'.repeat(columns.length)})
      ON CONFLICT (id) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`
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
      if (c.run(guarded ? this.#guarded : this.#save, ...values) === 0) refused.push(id)
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
