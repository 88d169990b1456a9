import type { AnyDefinition, DataOf, ResultOf } from '../message/define.ts'
import type { AnyView, RowOf, Scalar } from './view.ts'

/** What a query handler is given: views, nothing that writes. */
export interface QueryContext {
  readonly messageId: string
  readonly principal: string | undefined
  readonly signal: AbortSignal
  /**
   * A reader of one view. When the query came with a token, the first read waits until the view shows that write.
   * @throws {ObverseError} on reading: `CONSISTENCY_TIMEOUT`, `KEY_PARKED`
   */
  view<V extends AnyView>(view: V): ViewReader<RowOf<V>>
}

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

/** A query handler as a value. */
export interface QueryHandler<D extends AnyDefinition<'query'> = AnyDefinition<'query'>> {
  readonly definition: D
  readonly name: string
  readonly answer: (data: never, context: QueryContext) => unknown
}

/**
 * Answers a query.
 *
 * @example
 * const getOrder = answer(GetOrder, (q, ctx) => ctx.view(orders).get(q.orderId))
 */
export function answer<D extends AnyDefinition<'query'>>(
  definition: D,
  run: (data: DataOf<D>, context: QueryContext) => ResultOf<D> | Promise<ResultOf<D>>,
): QueryHandler<D> {
  return { definition, name: definition.type, answer: run }
}
