import { type ConsumeMessage, connect } from 'amqplib'
import Fastify from 'fastify'
import { bodyOf, completeBody, type NewEvent } from 'obverse'
import pg from 'pg'
import { oneByOne } from './append-postgres.ts'
import { placedBy } from './order-placed.ts'
import { makeTables } from './tables.ts'

// By hand in one process: a request appends the event and its outbox row; what was committed is handed over in memory to the
// publisher, which takes the outbox rows away once they are confirmed; what the queue delivers together is saved by one upsert.

const [port, write, amqp, read, queue] = process.argv.slice(2) as [string, string, string, string, string]
await makeTables(write)
const outbox = new pg.Client({ connectionString: write })
const reads = new pg.Client({ connectionString: read })
await Promise.all([outbox.connect(), reads.connect()])
await reads.query(`CREATE TABLE orders (
  id text COLLATE "C" PRIMARY KEY, whole text COLLATE "C", key text COLLATE "C", mark bigint NOT NULL, data json,
  live boolean NOT NULL, status text COLLATE "C" NOT NULL) WITH (fillfactor = 70)`)
await reads.query('CREATE INDEX ON orders (status, id) WHERE live')

const publishing = await connect(amqp, { noDelay: true })
const consuming = await connect(amqp, { noDelay: true })
const publisher = await publishing.createConfirmChannel()
const consumer = await consuming.createChannel()
await publisher.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })

let confirmed: string[] = []
let forgetting = false
const forget = async () => {
  forgetting = true
  while (confirmed.length > 0) {
    const ids = confirmed
    confirmed = []
    const text = 'DELETE FROM obverse_queue WHERE channel = $1 AND message_id = ANY ($2::text[])'
    await outbox.query({ name: 'forget', text, values: ['orders', ids] })
  }
  forgetting = false
}
const publish = (event: NewEvent) => {
  const body = Buffer.from(completeBody(bodyOf(event), 1, null))
  const options = { persistent: true, mandatory: true, messageId: event.id, contentType: 'application/json' }
  publisher.sendToQueue(queue, body, options, (error) => {
    if (error) throw error
    confirmed.push(event.id)
    if (!forgetting) void forget()
  })
}

interface Placed {
  readonly key: string
  readonly seq: number
  readonly data: { readonly orderId: string; readonly lines: unknown }
}
let arrived: ConsumeMessage[] = []
let saving = false
const save = async () => {
  saving = true
  while (arrived.length > 0) {
    const batch = arrived
    arrived = []
    const events = batch.map(({ content }) => JSON.parse(content.toString()) as Placed)
    events.sort((a, b) => (a.key < b.key ? -1 : 1))
    await reads.query({
      name: 'save',
      text: `INSERT INTO orders AS t (id, key, mark, data, live, status)
        SELECT n.id, n.id, n.mark, n.data, true, 'placed' FROM unnest($1::text[], $2::bigint[], $3::json[]) AS n(id, mark, data)
        ON CONFLICT (id) DO UPDATE SET mark = excluded.mark, data = excluded.data, live = true, status = excluded.status
        WHERE t.mark < excluded.mark`,
      values: [
        events.map(({ key }) => key),
        events.map(({ seq }) => seq),
        events.map(({ data: { orderId: id, lines } }) => JSON.stringify({ id, status: 'placed', lines })),
      ],
    })
    for (const message of batch) consumer.ack(message)
  }
  saving = false
}
await consumer.prefetch(100)
await consumer.consume(queue, (message) => {
  if (!message) throw new Error('cancelled')
  arrived.push(message)
  // what a read of the socket has brought goes together
  if (!saving) queueMicrotask(() => saving || void save())
})

const append = oneByOne(write, 10)
const server = Fastify()
server.post('/orders', async (request, reply) => {
  const placed = placedBy(request.body as { orderId: string })
  if (!placed) return reply.code(400).send({ error: 'invalid' })
  await append.append(placed, 0)
  publish(placed)
  return reply.code(201).send()
})
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  await Promise.all([publishing.close(), consuming.close()])
  await Promise.all([append.close(), outbox.end(), reads.end()])
})
