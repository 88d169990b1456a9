import { join } from 'node:path'
import {
  createApp,
  createRegistry,
  event,
  type NewEvent,
  projection,
  type Store,
  systemRuntime,
  unchecked,
  view,
} from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { postgres } from 'obverse/postgres'
import { sqlite } from 'obverse/sqlite'
import { newEvent } from './new-event.ts'
import type { Question, Sides, Unanswerable } from './question.ts'
import { benchServer, newDatabase } from './servers.ts'
import { type BulkWriter, bulkMongodb, bulkPostgres, bulkSqlite, type Document } from './twins/bulk-write.ts'

/** Events in the log, a key each, so that every batch writes as many rows as it has events. */
const EVENTS = 20_000
const BATCH = 1_000

interface Row {
  readonly id: string
  readonly status: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

const Placed = event('orders.placed', unchecked<Omit<Row, 'id' | 'status'>>(), { key: () => 'given' })

export const projectSqlite: Question = {
  name: 'project-sqlite',
  asks: 'projection of the log to SQLite, FULL, batch 1,000, exact rows, beside one transaction of prepared upserts for each 1,000',
  unit: 'events/s',
  reach: 0.45,
  prepare: (folder) => sides(() => sqlite(join(folder, 'ours.db')), bulkSqlite(join(folder, 'twin.db'))),
}

export const projectPostgres: Question = {
  name: 'project-postgres',
  asks: 'projection of the log to PostgreSQL, batch 1,000, exact rows, beside one bulk upsert for each 1,000 documents',
  unit: 'events/s',
  reach: 0.5,
  async prepare() {
    const url = await newDatabase()
    return sides(() => postgres(url), await bulkPostgres(await newDatabase()))
  },
}

export const projectMongodb: Question = {
  name: 'project-mongodb',
  asks: 'projection of the log in PostgreSQL to MongoDB, batch 1,000, exact rows, beside the bulkWrite of its driver',
  unit: 'events/s',
  reach: 0.5,
  async prepare(): Promise<Sides | Unanswerable> {
    const { url, what, from } = await benchServer('mongodb')
    if (what !== 'server') return { why: `only a real mongod would tell, and here is ${from}` }
    const to = new URL(url)
    to.pathname = `/bench_${Date.now()}`
    const log = await newDatabase()
    return sides(() => postgres(log), await bulkMongodb(to.href), to.href)
  },
}

/** Each run fills a new view, of an application of its own, from the log that all share. */
async function sides(log: () => Store, twin: BulkWriter, documents?: string): Promise<Sides> {
  const made = await fill(log())
  let runs = 0
  return {
    async ours() {
      runs += 1
      const orders = view(`orders_${runs}`, { row: unchecked<Row>(), key: 'id', index: ['status'] })
      const list = projection(`order-list-${runs}`, orders).on(Placed, ({ lines }, rows, { key }) =>
        rows.put({ id: key, status: 'placed', lines }),
      )
      let seen = 0
      let done: () => void = () => {}
      const all = new Promise<void>((resolve) => {
        done = resolve
      })
      const app = createApp({
        handlers: [],
        projections: [list],
        store: log(),
        ...(documents && { views: { [orders.name]: mongodb(documents) } }),
        observe: [
          (step) => {
            if (step.step !== 'projected') return
            seen += step.events
            if (seen >= EVENTS) done()
          },
        ],
      })
      await app.open()
      await app.operate.projections.list() // the table is there
      const start = performance.now()
      await app.start({ relay: false, consume: false, project: true })
      await all
      const seconds = (performance.now() - start) / 1_000
      await app.stop()
      return EVENTS / seconds
    },
    async twin() {
      await twin.begin()
      const start = performance.now()
      for (let from = 0; from < made.length; from += BATCH) await twin.write(made.slice(from, from + BATCH))
      return made.length / ((performance.now() - start) / 1_000)
    },
    close: () => twin.close(),
  }
}

async function fill(log: Store): Promise<Document[]> {
  const store = await log.open({ runtime: systemRuntime, registry: createRegistry([]), relayed: false })
  await store.schema.migrate([])
  const documents: Document[] = []
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const events = Array.from({ length: BATCH }, (): NewEvent => ({ ...newEvent(), channels: [] }))
    await Promise.all(
      events.map((one) => store.transactions.commit({ name: 'bench' }, { events: [one], messages: [] })),
    )
    for (const { key, data } of events) {
      const { lines } = JSON.parse(data) as Row
      documents.push({ id: key, key, mark: 1, data: { id: key, status: 'placed', lines } })
    }
  }
  while ((await store.positions?.stamp(BATCH)) ?? 0) {
    // until everything has its place
  }
  await store.close()
  return documents
}
