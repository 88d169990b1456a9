// A process of the ledger on servers.
import { mongodb } from 'obverse/mongodb'
import { type PostgresOptions, postgres } from 'obverse/postgres'
import { type RabbitOptions, rabbitmq } from 'obverse/rabbitmq'
import { run } from './process.ts'
import type { ServerStores } from './stores.ts'
import { VIEWS } from './views.ts'

const STORE: PostgresOptions = { lease: 1_000, poll: 100 }
const BROKER: RabbitOptions = { connectTimeout: 1_000, confirmTimeout: 5_000, blockedTimeout: 500 }

run((stores: ServerStores) => {
  const { impatient, answerTimeout } = stores
  const views = stores.mongodb === undefined ? undefined : mongodb(stores.mongodb, { timeout: 1_000 })
  return {
    store: postgres(stores.postgres, {
      ...STORE,
      ...(impatient && { turnLimit: 1_500 }),
      ...(answerTimeout !== undefined && { answerTimeout }),
    }),
    ...(stores.rabbitmq !== undefined && {
      broker: rabbitmq(stores.rabbitmq, { ...BROKER, ...(impatient && { heartbeat: 1_000 }) }),
    }),
    ...(views && { views: Object.fromEntries(VIEWS.map((view) => [view, views])) }),
  }
})
