// A process of the ledger on servers. Their times are short, so that a test notices soon what they notice.
import { mongodb } from 'obverse/mongodb'
import { postgres } from 'obverse/postgres'
import { rabbitmq } from 'obverse/rabbitmq'
import { run } from './process.ts'
import { LEASE, type ServerStores } from './stores.ts'
import { VIEWS } from './views.ts'

const BROKER = { heartbeat: 1_000, connectTimeout: 1_000, confirmTimeout: 5_000, blockedTimeout: 500 }

run((stores: ServerStores) => {
  const broker = stores.rabbitmq === undefined ? undefined : rabbitmq(stores.rabbitmq, BROKER)
  const views = stores.mongodb === undefined ? undefined : mongodb(stores.mongodb, { timeout: 1_000 })
  return {
    store: postgres(stores.postgres, { lease: LEASE, poll: 100 }),
    ...(broker && { broker }),
    ...(views && { views: Object.fromEntries(VIEWS.map((view) => [view, views])) }),
  }
})
