import type { Scalar } from './view.ts'

/** Reads the rows of one view. */
export interface ViewReader<Row> {
  get(id: string): Promise<Row | undefined>
  /** @throws {ObverseError} `LOOKUP_UNDECLARED`, `CURSOR_INVALID` */
  find(options?: FindOptions<Row>): Promise<Page<Row>>
}

export interface FindOptions<Row> {
  /** Equalities; together with `order` they must be a declared look-up. */
  readonly where?: { readonly [K in keyof Row]?: Scalar }
  readonly order?: keyof Row & string
  readonly descending?: boolean
  /** Rows, 1 to 1,000. Default 50. */
  readonly limit?: number
  /** From the page before; opaque. Bound to its question: another `where` refuses it. */
  readonly cursor?: string
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Absent on the last page. */
  readonly next?: string
}
