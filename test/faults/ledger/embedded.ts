// A process of the ledger on files.
import { sqlite, sqliteBroker } from 'obverse/sqlite'
import { run } from './process.ts'
import { type EmbeddedStores, LEASE } from './stores.ts'

run(({ file, queues }: EmbeddedStores) => ({
  store: sqlite(file, { lease: LEASE }),
  ...(queues !== undefined && { broker: sqliteBroker(queues, { lease: LEASE }) }),
}))
