// The orders application with a mistake in it, which the check of requests has to find: `planted.ts MISTAKE`.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FastifyInstance } from 'fastify'
import type { App } from 'obverse'
import { ordersApi } from '../../../apps/orders/http.ts'
import main from '../../../apps/orders/main.ts'
import type { Mistake } from './mistake.ts'

const data = process.env.DATA_DIR as string

const MISTAKES: Readonly<Record<Mistake, (api: FastifyInstance) => void>> = {
  leak(api) {
    api.addHook('onSend', async (_, reply, payload) =>
      reply.statusCode === 400 && typeof payload === 'string'
        ? payload.replace(/"description":"[^"]*"/, () => `"description":${JSON.stringify(new Error('bad').stack)}`)
        : payload,
    )
  },
  'half-done'(api) {
    const database = new DatabaseSync(join(data, 'orders.db'), { timeout: 5_000 })
    const add = database.prepare(
      "INSERT INTO orders (id, customer_name, customer_email, status, total_cents, version, created_at) VALUES (?, 'x', 'x', 'pending', 0, 1, '')",
    )
    api.addHook('onSend', async (request, reply) => {
      if (reply.statusCode === 422) add.run(request.id)
    })
  },
  crash(api) {
    api.addHook('onSend', async (_, reply) => {
      if (reply.statusCode === 415) process.exit(1)
    })
  },
  fault(api) {
    api.addHook('preHandler', async ({ headers }) => {
      if (headers.traceparent !== undefined) throw new Error('no trace of it')
    })
  },
  mute(api) {
    api.addHook('onSend', async (_, reply, payload) =>
      reply.statusCode === 400 && typeof payload === 'string'
        ? payload.replace(/"description":"[^"]*"/, '"description":""')
        : payload,
    )
  },
  hoard(api) {
    const hoarded: unknown[] = []
    api.addHook('onRequest', async ({ headers }) => {
      hoarded.push(Object.entries(headers), Buffer.alloc(100_000))
    })
  },
}

const app = await main({ ORDERS_ON: 'embedded', DATA_DIR: data })
const api = ordersApi(app, () => {})
await (app as App).open()
await (app as App).operate.migrate()
MISTAKES[process.argv[2] as Mistake](api)
await api.listen({ port: 0, host: 'localhost' })
await (app as App).start()
console.log(`API http://localhost:${(api.server.address() as AddressInfo).port}\nReady.`)
