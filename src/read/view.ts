import type { AnySchema, OutputOf } from '../message/schema.ts'
import type { Finding, Health } from '../runtime/health.ts'
import { knownOptions } from '../runtime/options.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { ListForm } from './list-form.ts'
import type { FoundRow, Lookup, Question, Scalar, SearchQuestion, SearchShape } from './question.ts'
import { type FilterOf, type SearchForm, type SearchOption, searchForm } from './search.ts'

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

/** A read model: rows of one shape, filled by exactly one projection. */
export interface View<Row extends object = Record<string, unknown>, K extends string = string> {
  readonly name: string
  readonly key: K
  readonly lookups: readonly Lookup[]
  readonly row: AnySchema
  /** Its rows are entries of lists. */
  readonly list?: ListForm
  /** Its rows are found by their words. */
  readonly search?: SearchForm
  readonly _row?: Row
}

/** A view that can be searched; `B` names the fields of which a search may ask equality. */
export interface SearchableView<Row extends object, K extends string, B extends string> extends View<Row, K> {
  readonly search: SearchForm<B>
}

// biome-ignore lint/suspicious/noExplicitAny: a view of anything, for inference
export type AnyView = View<any, any>
export type RowOf<V> = V extends View<infer Row, infer _K> ? Row : never

export interface ViewOptions<S extends AnySchema, K extends keyof OutputOf<S> & string, Q = undefined> {
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
  /**
   * Full text: one to four fields whose words are searched, the one that counts most first; with `by`, fields of which a
   * search may ask equality besides. A field holds a text or texts; of anything else no word is found.
   */
  readonly search?: Q
}

/**
 * Declares a view. Only declared look-ups and searches can be asked, so that every question has an index in every store.
 *
 * @example
 * const orders = view('orders', { row: OrderRow, key: 'orderId', index: ['status', { order: 'createdAt', descending: true }] })
 * const products = view('products', { row: Product, key: 'sku', search: ['name', 'description'] })
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for an unknown option, or a search of no field, of more than four, or of one twice
 */
export function view<
  S extends AnySchema,
  const K extends keyof OutputOf<S> & string,
  const Q extends SearchOption<OutputOf<S>> | undefined = undefined,
>(
  name: string,
  options: ViewOptions<S, K, Q>,
): [Q] extends [undefined] ? View<OutputOf<S>, K> : SearchableView<OutputOf<S>, K, FilterOf<Q>>
export function view(
  name: string,
  options: ViewOptions<AnySchema, string, SearchOption<Record<string, unknown>> | undefined>,
): AnyView {
  knownOptions(`view ${name}`, options, ['row', 'key', 'index', 'search'])
  const lookups = (options.index ?? []).map((entry): Lookup => {
    if (typeof entry === 'string') return { by: [entry], descending: false }
    const { by = [], order, descending = false } = entry
    return { by, ...(order !== undefined && { order }), descending }
  })
  const search = options.search === undefined ? undefined : searchForm(name, options.search)
  return { name, key: options.key, lookups, row: options.row, ...(search && { search }) }
}
