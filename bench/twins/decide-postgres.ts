import { randomUUIDv7 } from 'node:crypto'
import Fastify from 'fastify'
import { oneByOne } from './append-postgres.ts'
import { placedBy } from './order-placed.ts'
import { makeTables } from './tables.ts'

// A new order by hand: Fastify, the same checks, one prepared statement with version check, event and outbox row.

const [port, database] = process.argv.slice(2) as [string, string]
await makeTables(database)

const twin = oneByOne(database, 10)
const server = Fastify()
server.post('/orders', async (request, reply) => {
  const orderId = randomUUIDv7()
  const placed = placedBy({ ...(request.body as object), orderId })
  if (!placed) return reply.code(400).send({ error: 'invalid' })
  await twin.append(placed, 0)
  return reply.code(201).send()
})
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  await twin.close()
})
