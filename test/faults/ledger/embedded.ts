// A process of the ledger on files.
import { sqlite, sqliteBroker } from 'obverse/sqlite'
import { run } from './process.ts'
import type { EmbeddedStores } from './stores.ts'

/** A second sign of life is asked of an owner soon, so that a process that stopped is noticed within the test. */
const SOON = { lease: 500 }

run(({ file, queues }: EmbeddedStores) => ({
  store: sqlite(file, SOON),
  ...(queues !== undefined && { broker: sqliteBroker(queues, SOON) }),
}))
