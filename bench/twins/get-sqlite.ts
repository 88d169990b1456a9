import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'

// An order by hand: Fastify and one prepared select of the row that ours reads, from the same file.

const [port, file] = process.argv.slice(2) as [string, string]

const database = new DatabaseSync(file, { readOnly: true })
const select = database.prepare('SELECT data FROM obverse_view_orders_1 WHERE id = ?')
const server = Fastify()
server.get<{ Params: { id: string } }>('/orders/:id', async (request, reply) => {
  const row = select.get(request.params.id.toLowerCase()) as { data: string | null } | undefined
  if (typeof row?.data !== 'string') return reply.code(404).send({ statusCode: 404 })
  const { accepted: _, ...data } = JSON.parse(row.data) as { accepted: number }
  return reply.send({ statusCode: 200, data })
})
await server.listen({ port: Number(port), host: '127.0.0.1' })
console.log('ready')
process.once('SIGTERM', async () => {
  await server.close()
  database.close()
})
