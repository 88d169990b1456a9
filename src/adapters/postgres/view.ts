import {
  type Finding,
  type InlineRows,
  ObverseError,
  type StoredRow,
  type ViewShape,
  type ViewStore,
  type ViewTable,
} from 'obverse'
import { servingWithin } from './checkpoint.ts'
import type { Connection } from './connection.ts'
import { examineViews } from './examine-views.ts'
import type { ViewEnvironment } from './view-environment.ts'
import { PostgresView } from './view-generation.ts'
import { tableName } from './view-name.ts'
import { dropTable } from './view-table.ts'

/**
 * The views of a database: a table for each generation, whose rows are JSON documents, with a column for each look-up field and
 * for the words of what is searched.
 */
export class PostgresViews implements ViewStore {
  readonly name = 'postgres'
  readonly #environment: ViewEnvironment
  readonly #tables = new Map<string, PostgresView>()
  readonly #shapes = new Map<string, ViewShape>()

  constructor(environment: ViewEnvironment) {
    this.#environment = environment
  }

  async open(shape: ViewShape, generation: number): Promise<ViewTable> {
    const view = new PostgresView(this.#environment, shape, generation)
    await view.prepare()
    this.#shapes.set(shape.name, shape)
    this.#tables.set(tableName(shape.name, generation), view)
    return view
  }

  async drop(shape: ViewShape, generation: number): Promise<void> {
    const table = tableName(shape.name, generation)
    this.#tables.delete(table)
    await dropTable(this.#environment, table)
  }

  lacks(): readonly string[] {
    return []
  }

  /** Compares the tables with what is declared; names rights and settings that the server lacks. */
  examine(shapes: readonly ViewShape[]): Promise<readonly Finding[]> {
    return examineViews(this.#environment, shapes)
  }

  /**
   * Rows inside an open transaction. The generation that is served stays so until the transaction has ended: a switch waits
   * for it, and it for a switch, so that no commit writes into what is not read any more.
   */
  within(connection: Connection): InlineRows {
    return {
      table: (view, generation) => {
        const { load, save } = this.#view(view, generation).within(connection)
        return { load, save: (rows) => save(rows as readonly StoredRow[]) }
      },
      serving: (view) => servingWithin(this.#environment, connection, view),
    }
  }

  /** One that another process has built, and switched to a moment ago, too. */
  #view(view: string, generation: number): PostgresView {
    const name = tableName(view, generation)
    let table = this.#tables.get(name)
    if (table) return table
    const shape = this.#shapes.get(view)
    if (!shape) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `Generation ${generation} of the view ${view} is filled inside a transaction but was not opened in this store`,
      )
    }
    table = new PostgresView(this.#environment, shape, generation)
    this.#tables.set(name, table)
    return table
  }
}
