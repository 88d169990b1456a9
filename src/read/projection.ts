import { ObverseError } from '../errors.ts'
import type { AnyDefinition, DataOf } from '../message/define.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import { knownOptions } from '../runtime/options.ts'
import type { List } from './list.ts'
import type { AnyView, RowOf } from './view.ts'

/** What a projection may do to rows. Operations are recorded and folded; nothing is read here. */
export interface Rows<Row> {
  /** Replaces the row whose id is in it. */
  put(row: Row): void
  /** Changes some fields; a row that is not there stays away. */
  patch(id: string, fields: Partial<Row>): void
  /** Adds to number fields; a row that is not there is made from `initial`, without it stays away. */
  increment(
    id: string,
    by: { readonly [K in keyof Row as Row[K] extends number | undefined ? K : never]?: number },
    initial?: Row,
  ): void
  /** Takes the row away; a late older event does not bring it back. */
  delete(id: string): void
}

/** What a projection may do to the entries of lists. Operations are recorded and folded; nothing is read here. */
export interface ListRows<Entry> {
  /** Puts the entry in the list that it names, in place of the one with its id. */
  add(entry: Entry): void
  /** Changes some fields; an entry that is not there stays away. */
  patch(key: string, id: string, fields: Partial<Entry>): void
  /** Takes the entry out of the list `key`; a late older event does not bring it back. */
  remove(key: string, id: string): void
}

/** What a projection may do to `V`. */
export type RowsOf<V> = V extends List<infer Entry, infer _K, infer _I> ? ListRows<Entry> : Rows<RowOf<V>>

/** One recorded operation. */
export type RowOperation =
  | { readonly kind: 'put'; readonly id: string; readonly row: Record<string, unknown> }
  | { readonly kind: 'patch'; readonly id: string; readonly fields: Record<string, unknown> }
  | {
      readonly kind: 'increment'
      readonly id: string
      readonly by: Record<string, number>
      readonly initial?: Record<string, unknown>
    }
  | { readonly kind: 'delete'; readonly id: string }

/**
 * Where a projection's events come from.
 * - `log` (default): read from the log, in order
 * - `inline`: applied inside the transaction that appends them; the view must be in the same store
 * - a channel: through the broker, like any handler
 */
export type Feed =
  | { readonly kind: 'log' }
  | { readonly kind: 'inline' }
  | { readonly kind: 'channel'; readonly channel: string }

export interface ProjectionOptions {
  /** `'log'`, `'inline'` or `{ channel: NAME }`. Default `'log'`. */
  readonly feed?: 'log' | 'inline' | { readonly channel: string }
  /**
   * Rows are touched by events of several keys (a total, a counter over many). Fed from the log in its order, or
   * inline where a commit knows its position. Default false: every row is touched by events of one key.
   */
  readonly gathering?: boolean
}

/** A function from events to rows of one view, by operations `R`. Immutable: `on` makes a new one. */
export interface Projection<Row = Record<string, unknown>, R = Rows<Row>> {
  readonly name: string
  readonly view: AnyView
  readonly feed: Feed
  readonly gathering: boolean
  readonly types: ReadonlySet<string>
  readonly definitions: readonly AnyDefinition<'event'>[]
  readonly steps: ReadonlyMap<string, (data: never, rows: never, event: EventEnvelope) => void>
  /** `event` is the envelope: its key, seq, position and time. */
  on<D extends AnyDefinition<'event'>>(
    definition: D,
    step: (data: DataOf<D>, rows: R, event: EventEnvelope<DataOf<D>>) => void,
  ): Projection<Row, R>
}

// biome-ignore lint/suspicious/noExplicitAny: a projection of anything, for inference
export type AnyProjection = Projection<any, any>

/**
 * Declares how a view is filled. Steps are pure: they only record operations.
 *
 * @example
 * const orderList = projection('order-list', orders)
 *   .on(OrderPlaced, (e, rows) => rows.put({ orderId: e.orderId, status: 'placed' }))
 * const timelineEntries = projection('timeline-entries', timelines)
 *   .on(PostShown, (e, rows) => rows.add(e))
 *   .on(PostHidden, (e, rows) => rows.remove(e.userId, e.postId))
 */
export function projection<V extends AnyView>(
  name: string,
  view: V,
  options: ProjectionOptions = {},
): Projection<RowOf<V>, RowsOf<V>> {
  knownOptions(`projection ${name}`, options, ['feed', 'gathering'])
  const { feed = 'log', gathering = false } = options
  if (feed !== 'log' && feed !== 'inline' && typeof feed?.channel !== 'string') {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `feed of projection ${name} is ${JSON.stringify(feed)}; give 'log', 'inline' or { channel: NAME }`,
    )
  }
  const source: Feed = typeof feed === 'string' ? { kind: feed } : { kind: 'channel', channel: feed.channel }
  return make({ name, view, feed: source, gathering }, [], new Map())
}

function make<Row, R>(
  base: Pick<Projection, 'name' | 'view' | 'feed' | 'gathering'>,
  definitions: readonly AnyDefinition<'event'>[],
  steps: Projection['steps'],
): Projection<Row, R> {
  return {
    ...base,
    definitions,
    steps,
    types: new Set(steps.keys()),
    on(definition, step) {
      return make<Row, R>(
        base,
        [...definitions, definition],
        new Map(steps).set(definition.type, step as (data: never, rows: never, event: EventEnvelope) => void),
      )
    },
  }
}
