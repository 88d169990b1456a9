import Fastify from 'fastify'
import { MongoClient } from 'mongodb'

// An order by hand: Fastify and findOne of the document that ours reads.

const [port, url] = process.argv.slice(2) as [string, string]

const client = new MongoClient(url)
await client.connect()
const orders = client.db().collection<{ readonly _id: string }>('orders')
const projection = { _id: 0, accepted: 0, _obverse: 0 }
const server = Fastify()
server.get<{ Params: { id: string } }>('/orders/:id', async (request, reply) => {
  const data = await orders.findOne({ _id: request.params.id.toLowerCase() }, { projection })
  if (!data) return reply.code(404).send({ statusCode: 404 })
  return reply.send({ statusCode: 200, data })
})
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  await client.close()
})
