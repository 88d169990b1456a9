import type { App } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { postgres } from 'obverse/postgres'
import { createOrders } from '../../apps/orders/app.ts'
import { ordersApi } from '../../apps/orders/http.ts'

// The orders application as its role `api` runs it, all of it in PostgreSQL or its documents in MongoDB.

const [port, database, documents] = process.argv.slice(2) as [string, string, string | undefined]

const orders = createOrders({
  store: postgres(database),
  ...(documents !== undefined && { views: mongodb(documents) }),
})
const app = orders as App
await app.open()
await app.operate.migrate()
const api = ordersApi(orders, (error) => console.error(error))
await api.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await api.close()
  await app.stop()
})
