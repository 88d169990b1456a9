import { randomUUIDv7 } from 'node:crypto'
import Fastify from 'fastify'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { CreateOrder, OrderCreated } from '../../apps/orders/messages.ts'
import { migrations } from '../../apps/orders/migrations.ts'
import type { Tables } from '../../apps/orders/tables.ts'
import { makeTables } from './tables.ts'

// POST /orders as an expert would write it by hand on PostgreSQL: Fastify, the same checks, Kysely in an awaited transaction,
// the same rows (order, items, key, event, unstamped, outbox) in the same tables with the same indexes.

const [port, database] = process.argv.slice(2) as [string, string]
await makeTables(database, migrations)

const db = new Kysely<Tables>({
  dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: database, max: 10 }) }),
})

const server = Fastify()
server.post('/orders', async (request, reply) => {
  const parsed = CreateOrder.schema['~standard'].validate(request.body)
  if (parsed instanceof Promise || parsed.issues) return reply.code(400).send({ statusCode: 400 })
  const { customer_name, customer_email, items, total_amount: claimed } = parsed.value
  const cents = items.map(({ price }) => Math.round(price * 100))
  const total = items.reduce((sum, { quantity }, n) => sum + quantity * (cents[n] as number), 0)
  if (claimed !== undefined && Math.round(claimed * 100) !== total) return reply.code(422).send({ statusCode: 422 })
  const [id, commandId, eventId] = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()]
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
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('orders')
      .values({
        id,
        customer_name,
        customer_email,
        status: 'pending',
        total_cents: BigInt(total),
        version: 1,
        created_at: time,
        updated_at: null,
      })
      .execute()
    await tx
      .insertInto('order_items')
      .values(
        items.map(({ product, quantity }, position) => ({
          order_id: id,
          position,
          product,
          quantity,
          price_cents: cents[position] as number,
        })),
      )
      .execute()
    await sql`WITH k AS (
        INSERT INTO obverse_key AS k (key, seq) VALUES (${id}, 1)
        ON CONFLICT (key) DO UPDATE SET seq = k.seq + 1 RETURNING seq),
      e AS (
        INSERT INTO obverse_event (number, id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
        SELECT nextval('obverse_event_number'), ${eventId}, 'order.created', 1, ${id}, seq, ${time}, ${commandId}, ${commandId},
          ${data}, ${metadata} FROM k RETURNING number),
      u AS (INSERT INTO obverse_unstamped (number) SELECT number FROM e)
      INSERT INTO obverse_queue (channel, message_id, key, event, at)
      SELECT 'orders_events', ${eventId}, ${id}, number, ${Date.now()} FROM e`.execute(tx)
  })
  return reply
    .code(201)
    .header('location', `/orders/${id}`)
    .send({ statusCode: 201, data: { id, message: 'Order created successfully' } })
})
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  await db.destroy()
})
