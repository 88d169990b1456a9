import { type InlineRows, ObverseError, type StoredRow, type ViewShape, type ViewStore, type ViewTable } from 'obverse'
import { generationOf } from './checkpoint.ts'
import type { Environment } from './environment.ts'
import { readAfter, readBetween } from './log.ts'
import { SqliteView } from './view-generation.ts'
import { tableName, wordsName } from './view-name.ts'
import { isMade } from './view-table.ts'

/** The views of a file: a table for each generation, a column for each look-up field, a full-text table for what is searched. */
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
    const words = wordsName(shape.name, generation)
    await writer.submit(() => writer.connection.db.exec(`DROP TABLE IF EXISTS ${words}; DROP TABLE IF EXISTS ${table}`))
  }

  lacks({ search }: ViewShape): readonly string[] {
    if (!search || this.#hasFullText()) return []
    return [`this Node was built with an SQLite without FTS5, and it searches ${search.fields.join(', ')}`]
  }

  #hasFullText(): boolean {
    const { connection } = this.#environment.writer
    return connection.get<{ used: number }>("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS used")?.used === 1
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
