import { aggregate, createApp, decide, projection, refuse, unchecked, view } from 'obverse'
import { httpServer, routes } from 'obverse/fastify'
import { postgres, postgresViews } from 'obverse/postgres'
import { rabbitmq } from 'obverse/rabbitmq'
import { OrderPlaced, PlaceOrder } from '../decide-messages.ts'

// One process with everything: API, relay and consumer; writes in one database, events through RabbitMQ, rows in another.

const [port, write, amqp, read, channel] = process.argv.slice(2) as [string, string, string, string, string]

interface Row {
  readonly id: string
  readonly status: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

const order = aggregate('order', () => ({ placed: false })).on(OrderPlaced, () => ({ placed: true }))
const placeOrder = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId }, (c, state) =>
  state.placed ? refuse('This order is placed already') : OrderPlaced(c),
)
const orders = view('orders', { row: unchecked<Row>(), key: 'id', index: ['status'] })
const orderList = projection('order-list', orders, { feed: { channel } }).on(OrderPlaced, ({ orderId, lines }, rows) =>
  rows.put({ id: orderId, status: 'placed', lines }),
)
const app = createApp({
  handlers: [placeOrder],
  projections: [orderList],
  channels: { [channel]: {} },
  store: postgres(write),
  broker: rabbitmq(amqp),
  views: { orders: postgresViews(read) },
})
await app.start()
await app.operate.projections.list() // the table is there
const server = httpServer(routes(app).post('/orders', PlaceOrder, { status: 201 }), { title: 'bench', version: '1' })
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  await app.stop()
})
