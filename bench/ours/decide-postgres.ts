import { randomUUIDv7 } from 'node:crypto'
import { aggregate, createApp, decide, handle, refuse } from 'obverse'
import { httpServer, routes } from 'obverse/fastify'
import { postgres } from 'obverse/postgres'
import { OrderPlaced, PlaceOrder } from '../decide-messages.ts'

// An event-sourced command behind a route, its event on its way to a subscriber.

const [port, database] = process.argv.slice(2) as [string, string]

const order = aggregate('order', () => ({ placed: false })).on(OrderPlaced, () => ({ placed: true }))
const placeOrder = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId }, (c, state) =>
  state.placed ? refuse('This order is placed already') : OrderPlaced(c),
)
const app = createApp({
  handlers: [placeOrder, handle(OrderPlaced, { channel: 'orders' }, () => {})],
  store: postgres(database),
})
await app.open()
const server = httpServer(
  routes(app).post('/orders', PlaceOrder, {
    status: 201,
    input: (request) => ({ ...(request.body as object), orderId: randomUUIDv7() }),
  }),
  { title: 'bench', version: '1' },
)
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  await app.stop()
})
