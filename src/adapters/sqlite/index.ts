import type { Store } from 'obverse'
import { open } from './open.ts'
import { type SqliteOptions, settings } from './options.ts'

export type { SqliteOptions } from './options.ts'
export { sqliteBroker } from './separate-broker.ts'

/**
 * A store in one file, by the SQLite that Node has built in: every port, nothing to install. Several processes on one
 * machine may have it open at once; what they write together is committed in groups, and each is woken by what the
 * others commit. `:memory:` is a store of this process that ends with it.
 *
 * The file's folder is made if it is missing. Network file systems do not lock reliably: use a disk of the machine.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a bad option; on opening `STORE_UNREACHABLE`, `STORE_CORRUPT`,
 * `SCHEMA_OUTDATED`, `STORE_BUSY`, each naming the file
 *
 * @example
 * const app = createApp({ handlers: [placeOrder], store: sqlite('data/orders.db') })
 */
export function sqlite(file: string, options: SqliteOptions = {}): Store {
  const checked = settings(options)
  return { name: `sqlite ${file}`, open: (environment) => open(file, checked, environment) }
}
