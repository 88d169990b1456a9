import { connect, type Socket } from 'node:net'
import { httpServer, routes } from 'obverse/fastify'
import { describe, expect, it } from 'vitest'
import { until } from '../../processes.ts'
import { Buy, shop } from './shop.ts'

async function halfSent(drain: number) {
  const server = httpServer(routes(shop({}).app).post('/buy', Buy), { drain })
  await server.listen({ port: 0 })
  const { port } = server.server.address() as { port: number }
  const seen = { text: '', closed: false }
  const socket: Socket = connect(port, '127.0.0.1', () =>
    socket.write(
      'POST /buy HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n',
    ),
  )
  socket.on('data', (bytes) => {
    seen.text += bytes
  })
  socket.on('close', () => {
    seen.closed = true
  })
  await until('the request is under way', () => seen.text.includes('100 Continue'))
  return { server, socket, seen }
}

describe('a server that closes', () => {
  it('answers what is under way, and closes the connection with it', async () => {
    const { server, socket, seen } = await halfSent(10_000)
    const closed = server.close()
    socket.write('{}')
    await closed
    await until('the answer', () => seen.closed)
    expect(seen.text).toMatch(/HTTP\/1.1 200 OK[\s\S]+connection: close[\s\S]+"id":"b1"/i)
  })

  it('cuts what does not arrive in time', async () => {
    const { server, seen } = await halfSent(50)
    await server.close()
    await until('the cut', () => seen.closed)
    expect(seen.text).not.toContain('200 OK')
  })
})
