import type { Db } from 'mongodb'
import type { Runtime, ViewStore } from 'obverse'
import { addressOf } from './address.ts'
import { Connection } from './connection.ts'
import { type MongodbOptions, settings } from './options.ts'
import { MongodbViews } from './view.ts'

export type { MongodbOptions } from './options.ts'

/**
 * Views in MongoDB 5 to 8, a single server or a replica set, no transactions needed: a collection for each view, named
 * like it, and a document for each row, whose `_id` is the row's id. Rows stay exact because each write carries its own
 * guard; an acknowledged one survives the server. What Obverse keeps beside a row is in its field `_obverse`.
 *
 * Takes a URL or a `Db` of your own driver, which stays yours to close. Nothing is connected until rows are read or
 * written: an application starts, and takes commands, while MongoDB is down.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a URL or an option that cannot be used
 *
 * @example
 * const app = createApp({ handlers, projections, store, views: { orders: mongodb('mongodb://127.0.0.1:27017/shop') } })
 */
export function mongodb(
  to: string | Db,
  options: MongodbOptions = {},
): (environment: { readonly runtime: Runtime }) => Promise<ViewStore> {
  const checked = settings(options)
  const address = typeof to === 'string' ? addressOf(to, checked) : to
  return async ({ runtime }) => new MongodbViews(new Connection(address, runtime))
}
