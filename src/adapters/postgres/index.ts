import type { Store } from 'obverse'
import type { Pool } from 'pg'
import { open } from './open.ts'
import { type PostgresOptions, settings } from './options.ts'

export {
  type DrizzleTransaction,
  join,
  type KnexTransaction,
  type KyselyTransaction,
  type OpenTransaction,
  type PgTransaction,
  type PrismaTransaction,
} from './join.ts'
export type { PostgresOptions } from './options.ts'
export { type PostgresViewOptions, postgresViews } from './view-store.ts'

/**
 * A store in a PostgreSQL database (13 or newer): every port, on the pool of the application or on one of its own, made from an
 * address. Concurrent commits share a statement; events get their positions after their commit, from the relay.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a bad option; on opening `STORE_UNREACHABLE`, `SCHEMA_OUTDATED`, each
 * naming the server and never a password
 *
 * @example
 * const app = createApp({ handlers: [placeOrder], store: postgres('postgres://localhost/orders') })
 */
export function postgres(source: string | Pool, options: PostgresOptions = {}): Store {
  const checked = settings(options)
  return { name: 'postgres', open: (environment) => open(source, checked, environment) }
}
