import {
  type App,
  aggregate,
  answer,
  command,
  createApp,
  decide,
  event,
  handle,
  projection,
  query,
  type Receipt,
  refuse,
  type Sent,
  view,
} from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'

const Line = z.object({ sku: z.string(), qty: z.number().int() })
const PlaceOrder = command('orders.place', z.object({ orderId: z.uuid(), lines: z.array(Line).min(1) }))
const CancelOrder = command('orders.cancel', z.object({ orderId: z.uuid(), why: z.string().default('none') }))
const CountOrders = command('orders.count', z.object({}))
const OrderPlaced = event('orders.placed', z.object({ orderId: z.uuid(), lines: z.array(Line) }))
const OrderCancelled = event('orders.cancelled', z.object({ orderId: z.uuid() }))
const OrderRow = z.object({ orderId: z.string(), status: z.string(), items: z.number() })
const GetOrder = query('orders.get', z.object({ orderId: z.uuid() }), OrderRow.optional())

type Order = { status: 'none' } | { status: 'placed'; lines: z.infer<typeof Line>[] }
const order = aggregate('order', (): Order => ({ status: 'none' }))
  .on(OrderPlaced, (_, e) => ({ status: 'placed', lines: e.lines }))
  .on(OrderCancelled, () => ({ status: 'none' }))

const placeOrder = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId }, (c, state) =>
  state.status === 'none' ? OrderPlaced(c) : refuse('already placed'),
)
const cancelOrder = decide(CancelOrder, { aggregate: order, id: (c) => c.orderId, channel: 'slow' }, (c, state) =>
  state.status === 'none' ? refuse(c.why) : [OrderCancelled({ orderId: c.orderId })],
)
const countOrders = handle(CountOrders, () => 42)
const orders = view('orders', { row: OrderRow, key: 'orderId', index: ['status'] })
const orderList = projection('order-list', orders).on(OrderPlaced, (e, rows, event) => {
  expectTypeOf(e.lines).toEqualTypeOf<{ sku: string; qty: number }[]>()
  expectTypeOf(event.seq).toEqualTypeOf<number>()
  rows.put({ orderId: e.orderId, status: 'placed', items: e.lines.length })
  rows.increment(e.orderId, { items: 1 })
  // @ts-expect-error status is no number
  rows.increment(e.orderId, { status: 1 })
  // @ts-expect-error items is missing
  rows.put({ orderId: e.orderId, status: 'placed' })
})
const getOrder = answer(GetOrder, async (q, ctx) => {
  const found = await ctx.view(orders).find({ where: { status: 'placed' }, limit: 1 })
  expectTypeOf(found.rows).toEqualTypeOf<{ orderId: string; status: string; items: number }[]>()
  return ctx.view(orders).get(q.orderId)
})
const mail = handle(OrderPlaced, { channel: 'mail' }, (e, ctx) => {
  expectTypeOf(e.orderId).toEqualTypeOf<string>()
  ctx.publish(OrderCancelled({ orderId: e.orderId }))
})
const make = () =>
  createApp({
    handlers: [placeOrder, cancelOrder, countOrders, mail, getOrder],
    projections: [orderList],
    store: memory(),
  })

describe('inference', () => {
  test('a synchronous command answers with its result, an asynchronous one with a receipt', () => {
    const app = {} as ReturnType<typeof make>
    expectTypeOf(app.send(PlaceOrder({ orderId: 'x', lines: [] }))).resolves.toEqualTypeOf<Sent<void>>()
    expectTypeOf(app.send(CountOrders({}))).resolves.toEqualTypeOf<Sent<number>>()
    expectTypeOf(app.send(CancelOrder({ orderId: 'x' }))).resolves.toEqualTypeOf<Receipt<void>>()
  })

  test('a query answers with what its result schema says', () => {
    const app = {} as ReturnType<typeof make>
    expectTypeOf(app.ask(GetOrder({ orderId: 'x' }))).resolves.toEqualTypeOf<
      { orderId: string; status: string; items: number } | undefined
    >()
  })

  test('an application without known handlers gives the union', () => {
    expectTypeOf<App>().toHaveProperty('send')
  })

  test('wrong uses do not compile', () => {
    const app = {} as ReturnType<typeof make>
    // @ts-expect-error wrong payload
    PlaceOrder({ orderId: 1, lines: [] })
    // @ts-expect-error an event that the aggregate does not evolve
    decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId }, () => event('x', z.object({}))({}))
    // @ts-expect-error no such field
    view('v', { row: OrderRow, key: 'orderId', index: ['nope'] })
    // @ts-expect-error no such key
    view('v', { row: OrderRow, key: 'nope' })
    // @ts-expect-error ctx.db without tables
    handle(CountOrders, (_, ctx) => ctx.db.selectFrom('x'))
    // @ts-expect-error a stored event must be readable by its own schema
    event('e', z.object({ at: z.string().transform((s) => new Date(s)) }))
    // @ts-expect-error the answer does not fit
    answer(GetOrder, () => ({ orderId: 1 }))
    // @ts-expect-error nobody handles it: there is no token to read
    app.send(command('zz', z.object({}))({})).then((sent) => sent.token)
  })
})
