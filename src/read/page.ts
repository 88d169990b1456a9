import type { List } from './list.ts'
import type { Scalar } from './question.ts'
import type { RowOf, SearchableView } from './view.ts'

/** Reads the rows of one view. */
export interface ViewReader<Row> {
  get(id: string): Promise<Row | undefined>
  /** @throws {ObverseError} `LOOKUP_UNDECLARED`, `CURSOR_INVALID` */
  find(options?: FindOptions<Row>): Promise<Page<Row>>
}

/** Searches a view that declares it; `B` names the fields of which it may ask equality. */
export interface SearchReader<Row, B extends string> {
  /**
   * Rows that have every word of `text` somewhere in the searched fields, the last word as a beginning, without case and
   * accents. First those whose first field has all of them, then those that take the second too, and so on; by row id
   * among themselves. A text without a word finds nothing.
   *
   * @throws {ObverseError} `VALIDATION_FAILED` for a text of more than 1,000 characters or 32 words, `LOOKUP_UNDECLARED`,
   * `CURSOR_INVALID`
   */
  search(text: string, options?: SearchOptions<B>): Promise<Page<Row>>
}

/** Reads the entries of lists. */
export interface ListReader<Entry> {
  /** One entry. */
  get(key: string, id: string): Promise<Entry | undefined>
  /**
   * Entries of one list in its order; a list that nothing was added to has none.
   * @throws {ObverseError} `CURSOR_INVALID`
   */
  page(key: string, options?: PageOptions): Promise<Page<Entry>>
  /** How many entries the list has, as far as its pages go. */
  count(key: string): Promise<number>
}

export interface PageOptions {
  /** Rows, 1 to 1,000. Default 50. */
  readonly limit?: number | undefined
  /** From the page before; opaque. Bound to its question: another `where` refuses it. */
  readonly cursor?: string | undefined
}

export interface FindOptions<Row> extends PageOptions {
  /** Equalities; together with `order` they must be a declared look-up. */
  readonly where?: { readonly [K in keyof Row]?: Scalar | undefined } | undefined
  readonly order?: (keyof Row & string) | undefined
  readonly descending?: boolean | undefined
}

export interface SearchOptions<B extends string = string> extends PageOptions {
  /** Equalities, of any of the fields that the search declares under `by`. */
  readonly where?: ([B] extends [never] ? NoFilter : { readonly [F in B]?: Scalar | undefined }) | undefined
}

/** An empty object type would take any field. */
interface NoFilter {
  readonly [field: string]: undefined
}

export interface Page<Row> {
  /** Nobody else's: the array is the caller's to change. */
  readonly rows: Row[]
  /** Absent on the last page. */
  readonly next?: string
}

/** How `V` is read. */
export type ReaderOf<V> =
  V extends List<infer Entry, infer _K, infer _I>
    ? ListReader<Entry>
    : V extends SearchableView<infer Row, infer _K, infer B>
      ? ViewReader<Row> & SearchReader<Row, B>
      : ViewReader<RowOf<V>>
