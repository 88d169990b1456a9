import {
  type FoundRow,
  type Lookup,
  ObverseError,
  type Question,
  type Scalar,
  type SearchQuestion,
  type StoredRow,
  type ViewShape,
  type ViewTable,
} from 'obverse'
import type { Connection } from './connection.ts'
import { guards } from './environment.ts'
import { find, size } from './lookup.ts'
import { storedId } from './row-id.ts'
import { search } from './search.ts'
import type { ViewEnvironment } from './view-environment.ts'
import { tableName } from './view-name.ts'
import { isOutdated } from './view-outdated.ts'
import { loadRows, persistent, type Runner, saveRows } from './view-rows.ts'
import { type Guards, type ViewStatements, viewStatements } from './view-statement.ts'
import { isMade, layoutOf, make, type ViewLayout } from './view-table.ts'

/** Rows in one statement above which it takes a connection of its own: others would wait behind it. */
const MANY = 100

/** A table as it was when it was looked at last. */
interface Known {
  readonly layout: ViewLayout
  readonly statements: ViewStatements
}

/** The rows of one generation of one view. */
export class PostgresView implements ViewTable {
  readonly #environment: ViewEnvironment
  readonly #shape: ViewShape
  readonly #generation: number
  readonly #table: string
  readonly #guards: Guards
  #known: Known | undefined
  #looking: Promise<Known> | undefined

  constructor(environment: ViewEnvironment, shape: ViewShape, generation: number) {
    this.#environment = environment
    this.#shape = shape
    this.#generation = generation
    this.#table = tableName(shape.name, generation)
    this.#guards = { bySeq: guards(environment, 'guard-by-seq'), byPosition: guards(environment, 'guard-by-position') }
  }

  async prepare(): Promise<void> {
    await this.#look()
  }

  load(ids: readonly string[]): Promise<readonly StoredRow[]> {
    return this.#made(({ statements }) =>
      this.#run(ids.length > MANY ? undefined : this.#environment.reader, (runner) =>
        loadRows(runner, statements, ids),
      ),
    )
  }

  save(rows: readonly StoredRow[]): Promise<readonly string[]> {
    return this.#made(({ statements, layout }) =>
      this.#run(rows.length > MANY ? undefined : this.#environment.writer, (runner) =>
        saveRows(persistent(runner), statements, layout.columns, rows),
      ),
    )
  }

  get(id: string): Promise<Record<string, unknown> | undefined> {
    return this.#made(async ({ statements }) => {
      const { reader } = this.#environment
      return (await reader.get<{ data: Record<string, unknown> }>(statements.get, [storedId(id)]))?.data
    })
  }

  find(question: Question): Promise<readonly FoundRow[]> {
    return this.#made(() =>
      this.#run(question.limit > MANY ? undefined : this.#environment.reader, (runner) =>
        find(runner, this.#table, question),
      ),
    )
  }

  size(lookup: Lookup, equals: readonly Scalar[]): Promise<number> {
    return this.#made(() => this.#run(undefined, (runner) => size(runner, this.#table, lookup, equals)))
  }

  search(question: SearchQuestion): Promise<readonly FoundRow[]> {
    const fields = this.#shape.search?.fields ?? []
    return this.#made(() => this.#run(undefined, (runner) => search(runner, this.#table, fields, question)))
  }

  count(): Promise<number> {
    return this.#made(({ statements }) =>
      this.#run(undefined, async (runner) => (await runner.get<{ count: number }>(statements.count))?.count ?? 0),
    )
  }

  /** Rows inside an open transaction. A table that is no longer as it was known fails it; the next one knows. */
  within(connection: Connection): {
    load(ids: readonly string[]): Promise<readonly StoredRow[]>
    save(rows: readonly StoredRow[]): Promise<readonly string[]>
  } {
    const run = async <T>(work: (known: Known) => Promise<T>): Promise<T> => {
      try {
        return await work(this.#known ?? (await this.#lookWithin(connection)))
      } catch (error) {
        if (!isOutdated(error, this.#table)) throw error
        this.#known = undefined
        this.#look().catch(() => {})
        throw new ObverseError('CONFLICT', `The table of ${this.#name()} has been changed meanwhile; run it again`, {
          cause: error,
        })
      }
    }
    return {
      load: (ids) => run(({ statements }) => loadRows(connection, statements, ids)),
      save: (rows) => run(({ statements, layout }) => saveRows(connection, statements, layout.columns, rows)),
    }
  }

  /** Another process may have made it. It is not made here, nor waited for: whoever makes it may wait for this transaction. */
  async #lookWithin(connection: Connection): Promise<Known> {
    const layout = await layoutOf(connection, this.#table)
    if (!layout || !isMade(layout, this.#shape, this.#generation)) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `${this.#name()} is filled inside a transaction but was not opened in this store`,
      )
    }
    this.#known = this.#knownOf(layout)
    return this.#known
  }

  /** A reset has taken the table away, or another version has added a column that every row must fill: once more. */
  async #made<T>(work: (known: Known) => Promise<T>): Promise<T> {
    try {
      return await work(this.#known ?? (await this.#look()))
    } catch (error) {
      if (!isOutdated(error, this.#table)) throw error
      this.#known = undefined
      return work(await this.#look())
    }
  }

  /** Looked at, and made if it is not there, once for all who ask meanwhile. */
  #look(): Promise<Known> {
    this.#looking ??= this.#lookOrMake().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookOrMake(): Promise<Known> {
    let layout = await layoutOf(this.#environment.reader, this.#table)
    if (!layout || !isMade(layout, this.#shape, this.#generation)) {
      layout = await make(this.#environment, this.#shape, this.#generation)
    }
    this.#known = this.#knownOf(layout)
    return this.#known
  }

  #knownOf(layout: ViewLayout): Known {
    return { layout, statements: viewStatements(this.#table, layout.columns, this.#guards) }
  }

  /** On the line that all share, or on a connection of its own. */
  #run<T>(line: Runner | undefined, work: (runner: Runner) => Promise<T>): Promise<T> {
    return line ? work(line) : this.#environment.sessions.lend(work)
  }

  #name(): string {
    return `Generation ${this.#generation} of the view ${this.#shape.name}`
  }
}
