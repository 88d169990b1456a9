import { randomUUIDv7 } from 'node:crypto'
import { aggregate, command, createApp, decide, event, refuse } from 'obverse'
import { memory } from 'obverse/memory'
import * as z from 'zod'
import { peer } from './peers.ts'
import { type Question, rate } from './question.ts'

const Line = z.object({ sku: z.string(), quantity: z.number().int() })
const Placing = z.object({ orderId: z.string(), lines: z.array(Line) })
const PlaceOrder = command('orders.place', Placing)
const OrderPlaced = event('orders.placed', Placing)

type Order = { status: 'none' } | { status: 'placed'; items: number }
const order = aggregate('order', (): Order => ({ status: 'none' })).on(OrderPlaced, (_, placed) => ({
  status: 'placed',
  items: placed.lines.length,
}))
const placeOrder = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId }, (c, state) =>
  state.status === 'none' ? OrderPlaced(c) : refuse('already placed'),
)
const lines = [
  { sku: 'laptop', quantity: 1 },
  { sku: 'mouse', quantity: 2 },
]
let next = 0

/** An event-sourced command on a new stream, all in memory: schema, load, fold, decide, append. */
export const decideMemory: Question = {
  name: 'decide-memory',
  asks: 'an event-sourced command in memory on a new stream, beside a hand-written decide and Map',
  unit: 'commands/s',
  reach: 0.4,
  prepare: () => ({ ours, twin: async () => twin(), peers: { '@event-driven-io/emmett': emmett } }),
}

/** A fresh application each run, so that neither side carries the garbage of the runs before. */
async function ours(): Promise<number> {
  const app = createApp({ handlers: [placeOrder], store: memory() })
  await app.open()
  const result = await rate(700, 2_000, async (count) => {
    for (let n = 0; n < count; n += 1) await app.send(PlaceOrder({ orderId: `order-${next++}`, lines }))
  })
  await app.stop()
  return result
}

/**
 * By hand: the same checks of command and event, the same envelope (id, type, time, seq, metadata), serialised as a
 * store has to, the version compared.
 */
function twin(): Promise<number> {
  interface Stored {
    readonly id: string
    readonly type: string
    readonly time: string
    readonly seq: number
    readonly data: string
    readonly metadata: string
  }
  const streams = new Map<string, Stored[]>()
  const evolve = (_: Order, placed: z.infer<typeof Placing>): Order => ({
    status: 'placed',
    items: placed.lines.length,
  })
  const place = async (input: z.infer<typeof Placing>) => {
    const messageId = randomUUIDv7()
    const data = Placing.parse(input)
    const stream = streams.get(data.orderId) ?? []
    let state: Order = { status: 'none' }
    for (const stored of stream) state = evolve(state, JSON.parse(stored.data) as z.infer<typeof Placing>)
    if (state.status !== 'none') throw new Error('already placed')
    const expected = stream.length
    const placed = Placing.parse(data)
    if ((streams.get(data.orderId)?.length ?? 0) !== expected) throw new Error('conflict')
    stream.push({
      id: randomUUIDv7(),
      type: 'orders.placed',
      time: new Date().toISOString(),
      seq: expected + 1,
      data: JSON.stringify(placed),
      metadata: JSON.stringify({ correlationId: messageId, causationId: messageId }),
    })
    streams.set(data.orderId, stream)
    return { messageId, seq: expected + 1 }
  }
  return rate(700, 2_000, async (count) => {
    for (let n = 0; n < count; n += 1) await place({ orderId: `order-${next++}`, lines })
  })
}

/** At most 200 streams a store: its in-memory store scans all streams on every append. */
async function emmett(): Promise<number> {
  const { CommandHandler, getInMemoryEventStore } = await peer<{
    CommandHandler: (
      options: object,
    ) => (store: unknown, id: string, decide: (state: Order) => object) => Promise<unknown>
    getInMemoryEventStore: () => unknown
  }>('@event-driven-io/emmett', ['@event-driven-io/emmett'])
  const handler = CommandHandler({
    evolve: (_: Order, e: { data: z.infer<typeof Placing> }): Order => ({
      status: 'placed',
      items: e.data.lines.length,
    }),
    initialState: (): Order => ({ status: 'none' }),
  })
  return rate(700, 200, async (count) => {
    const store = getInMemoryEventStore()
    for (let n = 0; n < count; n += 1) {
      const data = Placing.parse({ orderId: `order-${next++}`, lines })
      await handler(store, data.orderId, () => ({ type: 'orders.placed', data }))
    }
  })
}
