import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { httpServer, routes } from 'obverse/fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Buy, shop } from './shop.ts'

/** Node answers some requests by itself, with no body; a client is told in the envelope what is wrong with them. */
describe('a request that Node would refuse without a word', () => {
  let server: FastifyInstance
  beforeAll(async () => {
    server = httpServer(routes(shop({}).app).post('/buy', Buy))
    await server.listen({ port: 0, host: '127.0.0.1' })
  })
  afterAll(() => server.close())

  const ask = (lines: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port } = server.server.address() as { port: number }
      let text = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
      socket.on('data', (bytes) => {
        text += bytes
      })
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
  const errorOf = (text: string) => [text.slice(9, 12), JSON.parse(text.split('\r\n\r\n')[1] ?? '').error]

  it('has no host', async () => {
    const error = { code: 'HOST_MISSING', message: 'The request has no header Host.' }
    for (const line of ['GET /buy HTTP/1.1', 'GET /nowhere HTTP/1.1']) {
      expect(errorOf(await ask([line, 'connection: close']))).toEqual(['400', error])
    }
  })

  it('of HTTP 1.0 needs none', async () => {
    expect(await ask(['GET /openapi.json HTTP/1.0'])).toMatch(/^HTTP\/1.1 200/)
  })

  it('expects what nobody can', async () => {
    const message = 'The only expectation that is met here is 100-continue.'
    expect(errorOf(await ask(['POST /buy HTTP/1.1', 'host: x', 'expect: x', 'connection: close']))).toEqual([
      '417',
      { code: 'EXPECTATION_UNKNOWN', message },
    ])
  })
})
