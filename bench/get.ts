import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { App } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { postgres } from 'obverse/postgres'
import { sqlite } from 'obverse/sqlite'
import { createOrders, type OrdersStores } from '../apps/orders/app.ts'
import { CreateOrder } from '../apps/orders/messages.ts'
import { ORDERS_EVENTS } from '../apps/orders/order-view.ts'
import { SAMPLE } from '../apps/orders/sample.ts'
import { getRequest, httpLoad } from './http-load.ts'
import { pump, type Question, type Sides, type Unanswerable } from './question.ts'
import { endProcess, freePort, type Program, serverProcess } from './server-process.ts'
import { benchServer, newDatabase } from './servers.ts'

/** Orders that are asked for in turn. */
const ORDERS = 1_000

export const getSqlite: Question = {
  name: 'get-sqlite',
  asks: 'GET /orders/{id} embedded, 50 connections, beside Fastify with one prepared select of the same row',
  unit: 'requests/s',
  reach: 0.85,
  async prepare(folder) {
    const file = join(folder, 'orders.db')
    const ids = await fill({ store: sqlite(file) })
    return sides(
      ids,
      (port) => ({ args: ['apps/start.ts', 'orders', '--role', 'api', '--port', port, '--data', folder] }),
      (port) => ({ args: ['bench/twins/get-sqlite.ts', port, file] }),
    )
  },
}

export const getMongodb: Question = {
  name: 'get-mongodb',
  asks: 'GET /orders/{id} from MongoDB, 50 connections, beside Fastify with findOne of the same document',
  unit: 'requests/s',
  reach: 0.85,
  async prepare(): Promise<Sides | Unanswerable> {
    const { url, what, from } = await benchServer('mongodb')
    if (what !== 'server') return { why: `only a real mongod would tell, and here is ${from}` }
    const database = await newDatabase()
    const documents = Object.assign(new URL(url), { pathname: `/bench_${Date.now()}` }).href
    const ids = await fill({ store: postgres(database), views: mongodb(documents) })
    return sides(
      ids,
      (port) => ({ args: ['bench/ours/orders-postgres.ts', port, database, documents] }),
      (port) => ({ args: ['bench/twins/get-mongodb.ts', port, documents] }),
    )
  },
}

/** Accepts the orders and brings them into the read model, from which both sides answer. */
async function fill(stores: OrdersStores): Promise<string[]> {
  const orders = createOrders(stores)
  const app = orders as App
  await app.open()
  await app.operate.migrate()
  const ids: string[] = []
  await pump(ORDERS, 8, async () => {
    const { result } = await orders.send(CreateOrder(SAMPLE))
    ids.push(result.id)
  })
  await app.consume([ORDERS_EVENTS], { limit: ORDERS })
  await app.stop()
  return ids
}

async function sides(
  ids: readonly string[],
  ours: (port: string) => Program,
  twin: (port: string) => Program,
): Promise<Sides> {
  const ports = [await freePort(), await freePort()] as const
  const processes = await Promise.all([serverProcess(ours(`${ports[0]}`)), serverProcess(twin(`${ports[1]}`))])
  await assertSameAnswer(ports, ids[0] as string)
  const requests = ids.map((id) => getRequest(`/orders/${id}`))
  const run = (port: number) => httpLoad({ port, connections: 50, milliseconds: 1_500, requests, status: '200' })
  return {
    ours: () => run(ports[0]),
    twin: () => run(ports[1]),
    async close() {
      await Promise.all(processes.map(endProcess))
    },
  }
}

async function assertSameAnswer(ports: readonly number[], id: string): Promise<void> {
  const answers = await Promise.all(
    ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/orders/${id}`)).json()),
  )
  if (!isDeepStrictEqual(answers[0], answers[1])) throw new Error(`The twin answers otherwise: ${inspect(answers)}`)
}
