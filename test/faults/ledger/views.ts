import { type AnyProjection, projection, unchecked, view } from 'obverse'
import { SHARED } from './handlers.ts'
import { Entered } from './messages.ts'

export interface Sum {
  readonly name: string
  readonly count: number
  readonly total: number
}

/** Rows of the gathering view. */
export const BUCKETS = 3
export const bucketOf = (amount: number): string => `bucket ${amount % BUCKETS}`

export const VIEWS = ['by_channel', 'by_log', 'gathered'] as const
export type ViewName = (typeof VIEWS)[number]

const sums = (name: ViewName) => view(name, { row: unchecked<Sum>(), key: 'name' })
const none = (name: string): Sum => ({ name, count: 0, total: 0 })

/** Counters by key, through the channel; the same from the log; and one that gathers all keys. */
export const projections: readonly AnyProjection[] = [
  projection('by-channel', sums('by_channel'), { feed: { channel: SHARED } }).on(Entered, ({ key, amount }, rows) =>
    rows.increment(key, { count: 1, total: amount }, none(key)),
  ),
  projection('by-log', sums('by_log')).on(Entered, ({ key, amount }, rows) =>
    rows.increment(key, { count: 1, total: amount }, none(key)),
  ),
  projection('gathered', sums('gathered'), { gathering: true }).on(Entered, ({ amount }, rows) =>
    rows.increment(bucketOf(amount), { count: 1, total: amount }, none(bucketOf(amount))),
  ),
]
