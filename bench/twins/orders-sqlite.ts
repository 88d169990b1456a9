import { randomUUIDv7 } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'
import { bodyOf, completeBody } from 'obverse'
import main from '../../apps/orders/main.ts'
import { CreateOrder, OrderCreated } from '../../apps/orders/messages.ts'

// POST /orders as an expert would write it by hand: Fastify, the same checks, one prepared transaction per request that
// writes the same rows (order, items, event, key, outbox) into the same tables with the same indexes.

const [port, folder] = process.argv.slice(2) as [string, string]
const application = await main({ DATA_DIR: folder })
await application.operate.migrate()
await application.stop()

const database = new DatabaseSync(join(folder, 'orders.db'))
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
const begin = database.prepare('BEGIN IMMEDIATE')
const commit = database.prepare('COMMIT')
const rollback = database.prepare('ROLLBACK')
const insertOrder = database.prepare(
  `INSERT INTO orders (id, customer_name, customer_email, status, total_cents, version, created_at, updated_at)
   VALUES (?, ?, ?, 'pending', ?, 1, ?, NULL)`,
)
const insertItem = database.prepare(
  'INSERT INTO order_items (order_id, position, product, quantity, price_cents) VALUES (?, ?, ?, ?, ?)',
)
const insertKey = database.prepare('INSERT INTO obverse_key (key, seq) VALUES (?, 1)')
const insertEvent = database.prepare(
  `INSERT INTO obverse_event (id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
   VALUES (?, 'order.created', 1, ?, 1, ?, ?, ?, ?, ?)`,
)
const insertQueue = database.prepare(
  `INSERT INTO obverse_queue (channel, message_id, key, command, at, body) VALUES ('orders_events', ?, ?, 0, ?, ?)`,
)

const server = Fastify()
server.post('/orders', async (request, reply) => {
  const parsed = CreateOrder.schema['~standard'].validate(request.body)
  if (parsed instanceof Promise || parsed.issues) return reply.code(400).send({ statusCode: 400 })
  const { customer_name, customer_email, items, total_amount: claimed } = parsed.value
  const cents = items.map(({ price }) => Math.round(price * 100))
  const total = items.reduce((sum, { quantity }, n) => sum + quantity * (cents[n] as number), 0)
  if (claimed !== undefined && Math.round(claimed * 100) !== total) return reply.code(422).send({ statusCode: 422 })
  const id = randomUUIDv7()
  const commandId = randomUUIDv7()
  const eventId = randomUUIDv7()
  const time = new Date().toISOString()
  const event = {
    order_id: id,
    customer_name,
    customer_email,
    items,
    total_amount: total / 100,
    status: 'pending',
    created_at: time,
    version: 1,
  }
  const checked = OrderCreated.schema['~standard'].validate(event)
  if (checked instanceof Promise || checked.issues) throw new Error('bad event')
  const data = JSON.stringify(checked.value)
  const metadata = `{"correlationId":"${commandId}","causationId":"${commandId}"}`
  begin.run()
  try {
    insertOrder.run(id, customer_name, customer_email, total, time)
    for (const [n, { product, quantity }] of items.entries()) {
      insertItem.run(id, n, product, quantity, cents[n] as number)
    }
    insertKey.run(id)
    const { lastInsertRowid } = insertEvent.run(eventId, id, time, commandId, commandId, data, metadata)
    const outgoing = {
      id: eventId,
      type: 'order.created',
      kind: 'event',
      schemaVersion: 1,
      time,
      key: id,
      data,
      metadata,
    } as const
    const body = completeBody(
      bodyOf({ ...outgoing, correlationId: commandId, causationId: commandId, channels: [] }),
      1,
      Number(lastInsertRowid),
    )
    insertQueue.run(eventId, id, Date.now(), body)
    commit.run()
  } catch (error) {
    rollback.run()
    throw error
  }
  return reply
    .code(201)
    .header('location', `/orders/${id}`)
    .send({ statusCode: 201, data: { id, message: 'Order created successfully' } })
})
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('twin ready')
process.once('SIGTERM', async () => {
  await server.close()
  database.close()
})
