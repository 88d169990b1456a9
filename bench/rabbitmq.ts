import {
  bodyOf,
  completeBody,
  createApp,
  createRegistry,
  event,
  handle,
  type OpenStore,
  type Step,
  systemRuntime,
  unchecked,
} from 'obverse'
import { postgres } from 'obverse/postgres'
import { rabbitmq } from 'obverse/rabbitmq'
import { newEvent } from './new-event.ts'
import type { Question } from './question.ts'
import { benchServer, newDatabase } from './servers.ts'
import { bareConsumer } from './twins/consumer.ts'
import { barePublisher } from './twins/publisher.ts'

/** Messages of one timed run. */
const MESSAGES = 20_000

const Placed = event('orders.placed', unchecked<object>(), { key: () => 'given' })

export const relayRabbitmq: Question = {
  name: 'relay-rabbitmq',
  asks: 'relay from PostgreSQL to a quorum queue (stamp, publish, confirm, delete), beside a bare publisher, 100 in flight',
  unit: 'messages/s',
  reach: 0.6,
  async prepare() {
    const { url } = await benchServer('rabbitmq')
    const database = await newDatabase()
    const store = await postgres(database).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: true })
    await store.schema.migrate([])
    let published = 0
    let done: () => void = () => {}
    const app = application(database, url, (step) => {
      if (step.step !== 'published') return
      published += step.count
      if (published >= MESSAGES) done()
    })
    await app.open()
    const raw = await barePublisher(url, 'bench_bare', 100)
    const ours = await barePublisher(url, 'orders', 100, false)
    return {
      async ours() {
        await ours.purge()
        await fill(store)
        published = 0
        const all = new Promise<void>((resolve) => {
          done = resolve
        })
        const start = performance.now()
        await app.start({ relay: true, consume: false, project: false })
        await all
        const seconds = (performance.now() - start) / 1_000
        await app.stop()
        return MESSAGES / seconds
      },
      async twin() {
        await raw.purge()
        const bodies = Array.from({ length: MESSAGES }, bodyOfOne)
        const start = performance.now()
        await raw.publish(bodies)
        return MESSAGES / ((performance.now() - start) / 1_000)
      },
      async close() {
        await app.stop()
        await store.close()
        await raw.close()
        await ours.close()
      },
    }
  },
}

export const consumeRabbitmq: Question = {
  name: 'consume-rabbitmq',
  asks: 'consume with inbox in PostgreSQL and a handler that does nothing, beside a bare consumer, prefetch 100, single acks',
  unit: 'messages/s',
  reach: 0.35,
  async prepare() {
    const { url } = await benchServer('rabbitmq')
    const app = application(await newDatabase(), url, () => {})
    await app.open()
    await app.stop()
    const queue = await barePublisher(url, 'orders_bare', 1_000)
    const ours = await barePublisher(url, 'orders', 1_000, false)
    const raw = await bareConsumer(url, 'orders_bare')
    return {
      async ours() {
        await ours.publish(Array.from({ length: MESSAGES }, bodyOfOne))
        const start = performance.now()
        await app.consume(['orders'], { limit: MESSAGES })
        return MESSAGES / ((performance.now() - start) / 1_000)
      },
      async twin() {
        await queue.publish(Array.from({ length: MESSAGES }, bodyOfOne))
        const start = performance.now()
        await raw.consume(MESSAGES)
        return MESSAGES / ((performance.now() - start) / 1_000)
      },
      async close() {
        await app.stop()
        await raw.close()
        await queue.close()
        await ours.close()
      },
    }
  },
}

function application(database: string, url: string, observer: (step: Step) => void) {
  return createApp({
    handlers: [handle(Placed, { channel: 'orders' }, () => {})],
    store: postgres(database),
    broker: rabbitmq(url),
    channels: { orders: { concurrency: 400, prefetch: 800 } },
    observe: [observer],
  })
}

async function fill(store: OpenStore) {
  for (let sent = 0; sent < MESSAGES; sent += 500) {
    await Promise.all(
      Array.from({ length: 500 }, () =>
        store.transactions.commit({ name: 'bench' }, { events: [newEvent()], messages: [] }),
      ),
    )
  }
}

function bodyOfOne(): string {
  return completeBody(bodyOf(newEvent()), 1, 1)
}
