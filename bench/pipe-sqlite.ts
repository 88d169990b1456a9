import { join } from 'node:path'
import { createApp, createRegistry, event, handle, systemRuntime, unchecked } from 'obverse'
import { sqlite } from 'obverse/sqlite'
import { newEvent } from './new-event.ts'
import type { Question } from './question.ts'
import { sqliteConsumer } from './twins/pipe-sqlite.ts'

/** Messages of one timed run. */
const MESSAGES = 10_000

const Placed = event('orders.placed', unchecked<object>(), { key: () => 'given' })

/** The outbox row is the queue row, so that nothing is left for a relay; both begin with the rows of the same commits. */
export const pipeSqlite: Question = {
  name: 'pipe-sqlite',
  asks: 'from outbox to handled in SQLite, with inbox and a handler that does nothing, beside claim, mark and delete by hand, 100 at once',
  unit: 'messages/s',
  reach: 0.5,
  async prepare(folder) {
    const files = { ours: join(folder, 'ours.db'), twin: join(folder, 'twin.db') }
    const app = createApp({
      handlers: [handle(Placed, { channel: 'orders' }, () => {})],
      store: sqlite(files.ours),
      channels: { orders: { concurrency: 400, prefetch: 800 } },
    })
    await app.open()
    await fill(files.twin)
    const twin = sqliteConsumer(files.twin)
    await twin.consume(() => {})
    return {
      async ours() {
        await fill(files.ours)
        const start = performance.now()
        await app.consume(['orders'], { limit: MESSAGES })
        return MESSAGES / ((performance.now() - start) / 1_000)
      },
      async twin() {
        await fill(files.twin)
        const start = performance.now()
        const handled = await twin.consume(() => {})
        if (handled !== MESSAGES) throw new Error(`The twin had ${handled} of ${MESSAGES} messages`)
        return MESSAGES / ((performance.now() - start) / 1_000)
      },
      async close() {
        await app.stop()
        twin.close()
      },
    }
  },
}

async function fill(file: string): Promise<void> {
  const store = await sqlite(file).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: false })
  await store.schema.migrate([])
  for (let sent = 0; sent < MESSAGES; sent += 500) {
    await Promise.all(
      Array.from({ length: 500 }, () =>
        store.transactions.commit({ name: 'bench' }, { events: [newEvent()], messages: [] }),
      ),
    )
  }
  await store.close()
}
