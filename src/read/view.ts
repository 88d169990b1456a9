import type { AnySchema, OutputOf } from '../message/schema.ts'
import type { Finding, Health } from '../runtime/health.ts'
import { knownOptions } from '../runtime/options.ts'
import type { Checkpoints } from './checkpoint.ts'

/**
 * What a store keeps for one row of a view. A fold of many events is saved as one whole row, guarded by `mark`.
 *
 * - In a view of one key, `key` is the key whose events touch the row and `mark` the seq of the last it saw.
 * - In a gathering view `key` is `null` and `mark` is a position.
 * - `data: null` is a tombstone or a mark: queries never see it, but it refuses what is older.
 */
export interface StoredRow {
  readonly id: string
  readonly key: string | null
  readonly mark: number
  readonly data: Record<string, unknown> | null
}

/** PORT. The rows of one generation of one view. */
export interface ViewTable {
  /** The rows that exist among `ids`, tombstones and marks too. One query. */
  load(ids: readonly string[]): Promise<readonly StoredRow[]>
  /**
   * Saves whole rows in one batch. Each row is refused, in the store and by the write itself, unless its `mark` is
   * above that of the stored row; so is a row of one key where another key's is stored. Returns the ids that were
   * refused. All or nothing is not required: saving again is harmless.
   */
  save(rows: readonly StoredRow[]): Promise<readonly string[]>
  /** Data of a live row. */
  get(id: string): Promise<Record<string, unknown> | undefined>
  /** Live rows by a declared look-up, in its order. */
  find(question: Question): Promise<readonly FoundRow[]>
  /** Live rows: for `verify`, `doctor` and progress. */
  count(): Promise<number>
  /** How many live rows a look-up has. Absent: they are read and counted. */
  size?(lookup: Lookup, equals: readonly Scalar[]): Promise<number>
  /** Live rows by their words, in the order of {@link SearchQuestion}. Absent: `lacks` names what a shape searches. */
  search?(question: SearchQuestion): Promise<readonly FoundRow[]>
}

/** PORT. Where the views of a store live. */
export interface ViewStore {
  /** Named in messages: `sqlite`, `mongodb`, … */
  readonly name: string
  /** Prepares a generation (a table, a collection); does nothing if it is there. Look-ups become indexes. */
  open(shape: ViewShape, generation: number): Promise<ViewTable>
  drop(shape: ViewShape, generation: number): Promise<void>
  /** What of `shape` this store cannot serve, with the reason; empty: everything. */
  lacks(shape: ViewShape): readonly string[]
  /**
   * How far readers of the log have come in this store, kept beside its rows: a store that comes back empty or older (a lost
   * disk, a restored backup) says so by it, and is caught up from the log. Absent where rows and log are in one database.
   */
  readonly checkpoints?: Checkpoints
  /** Absent: a count of rows tells. */
  health?(): Promise<Health>
  /** What differs from what is declared (an index that is missing), and what the server lacks. */
  examine?(shapes: readonly ViewShape[]): Promise<readonly Finding[]>
  /** Ends its connections, if it made them. */
  close?(): Promise<void>
}

/** What a store must know of a view. */
export interface ViewShape {
  readonly name: string
  /** The field that holds the row's id; of a list, the field that holds the key of the list. */
  readonly key: string
  readonly lookups: readonly Lookup[]
  /**
   * The view is a list: its only look-up is by `key`, and a row's id is made of `key` and `id`. A store need not know: the
   * look-up is all that is asked.
   */
  readonly list?: { readonly id: string }
  /** What is searched: the words of `fields`, one to four, kept with every live row by the save itself. */
  readonly search?: SearchShape
}

/** A declared search. Words are those of `wordsOf`, in the index and in the question: no store splits or folds by itself. */
export interface SearchShape {
  /** The first counts most. */
  readonly fields: readonly string[]
  /** Fields of which a question may ask equality besides, any number of them. */
  readonly by: readonly string[]
}

/**
 * One page of a search: rows that have every one of `words`, and a word that begins with `prefix`, somewhere in the
 * searched fields, and whose `by` are equal.
 *
 * The order is by rank and then by row id. The rank is 0 when the first searched field alone has all of them, 1 when it
 * takes the first two, and so on: the highest, over the words, of the first field that has the word. It is the `order`
 * of what is found, a number.
 */
export interface SearchQuestion {
  readonly words: readonly string[]
  /** The beginning of a word; never empty. */
  readonly prefix: string
  /** Some of `SearchShape.by`, and their values in the same order, compared as in a look-up. */
  readonly by: readonly string[]
  readonly equals: readonly Scalar[]
  /** Strictly after this place in the order: the last row of the page before. */
  readonly after?: { readonly order: number; readonly id: string }
  /** Rows, 1 to 1,000. */
  readonly limit: number
}

/**
 * A declared question: rows where `by` are equal, ordered by `order` and then by row id. Values are told apart by type
 * (`'1'` is not `1`); a field that is missing is `null`, and comes first. Texts and ids are ordered by code point.
 */
export interface Lookup {
  readonly by: readonly string[]
  /** A field, ascending; `descending` turns it and the row id. Absent: by row id alone. */
  readonly order?: string
  readonly descending: boolean
}

/** One page of a look-up. */
export interface Question {
  readonly lookup: Lookup
  /** Values of `lookup.by`, same order. */
  readonly equals: readonly Scalar[]
  /** Strictly after this place in the order: the last row of the page before. */
  readonly after?: { readonly order: Scalar; readonly id: string }
  /** Rows, 1 to 1,000. */
  readonly limit: number
}

export type Scalar = string | number | boolean | null

export interface FoundRow {
  readonly id: string
  /** Value of the order field, for the cursor. */
  readonly order: Scalar
  readonly data: Record<string, unknown>
}

/** A read model: rows of one shape, filled by exactly one projection. */
export interface View<Row extends object = Record<string, unknown>, K extends string = string> {
  readonly name: string
  readonly key: K
  readonly lookups: readonly Lookup[]
  readonly row: AnySchema
  readonly _row?: Row
}

// biome-ignore lint/suspicious/noExplicitAny: a view of anything, for inference
export type AnyView = View<any, any>
export type RowOf<V> = V extends View<infer Row, infer _K> ? Row : never

export interface ViewOptions<S extends AnySchema, K extends keyof OutputOf<S> & string> {
  /** Shape of a row. For types, and for the description of the answer; rows are not checked again. */
  readonly row: S
  /** The field that holds the row's id; a text. */
  readonly key: K
  /** Look-ups: a field name, or fields with an order. Ordering by nothing means by row id. */
  readonly index?: readonly (
    | (keyof OutputOf<S> & string)
    | {
        readonly by?: readonly (keyof OutputOf<S> & string)[]
        readonly order?: keyof OutputOf<S> & string
        readonly descending?: boolean
      }
  )[]
}

/**
 * Declares a view. Only declared look-ups can be asked, so that every question has an index in every store.
 *
 * @example
 * const orders = view('orders', { row: OrderRow, key: 'orderId', index: ['status', { order: 'createdAt', descending: true }] })
 */
export function view<S extends AnySchema, const K extends keyof OutputOf<S> & string>(
  name: string,
  options: ViewOptions<S, K>,
): View<OutputOf<S>, K> {
  knownOptions(`view ${name}`, options, ['row', 'key', 'index'])
  const lookups = (options.index ?? []).map((entry): Lookup => {
    if (typeof entry === 'string') return { by: [entry], descending: false }
    const { by = [], order, descending = false } = entry
    return { by, ...(order !== undefined && { order }), descending }
  })
  return { name, key: options.key, lookups, row: options.row }
}
