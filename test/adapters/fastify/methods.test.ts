import { connect } from 'node:net'
import { httpServer, routes } from 'obverse/fastify'
import { afterAll, describe, expect, it } from 'vitest'
import { Buy, Change, Find, Look, shop } from './shop.ts'

const paths = routes(shop({ ask: () => undefined }).app)
  .get('/things', Find)
  .post('/things', Buy)
  .patch('/things/:id', Change)
  .get('/things/:id', Look, { missing: 'No such thing.' })
const server = httpServer(paths, { cors: true, banner: 'Shop' })
afterAll(() => server.close())

describe('an unknown path', () => {
  it.each(['/nope', '/things/a/b', '/thing', '/THINGS', '/.well-known/x'])('%s is a 404', async (url) => {
    for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE'] as const) {
      const answer = await server.inject({ method, url })
      expect([answer.statusCode, answer.json().error]).toEqual([404, { code: 'ROUTE_UNKNOWN', message: 'Not found.' }])
    }
  })

  it('is a 404 whatever is in the body', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await server.inject({ method: 'POST', url: '/nope', headers, payload: '{broken' })
    expect(answer.statusCode).toBe(404)
  })
})

describe('a method that a path does not know', () => {
  it.each([
    ['DELETE', '/things/1', 'PATCH, GET, HEAD, OPTIONS'],
    ['PUT', '/things?x=1', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
    ['POST', '/health', 'GET, HEAD, OPTIONS'],
    ['TRACE', '/docs', 'GET, HEAD, OPTIONS'],
  ] as const)('%s %s is a 405 that lists what it knows', async (method, url, allow) => {
    const answer = await server.inject({
      method: method as 'PUT',
      url,
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.statusCode).toBe(405)
    expect(answer.headers.allow).toBe(allow)
    expect(answer.json().error).toEqual({ code: 'METHOD_NOT_ALLOWED', message: expect.stringContaining(allow) })
  })
})

describe('an address that cannot be read', () => {
  it.each(['/things/%zz', '/%', '/things/%c0%ae'])('%s is a 400', async (url) => {
    const answer = await server.inject({ url, headers: { origin: 'http://x' } })
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'REQUEST_UNREADABLE'])
    expect(answer.headers['access-control-allow-origin']).toBe('http://x')
  })

  it('may have a long or empty parameter, which nothing is named', async () => {
    for (const url of [`/things/${'x'.repeat(1_024)}`, `/things/${'x'.repeat(9_000)}`, '/things/', '/things/%00']) {
      expect((await server.inject(url)).statusCode, url.slice(0, 20)).toBeOneOf([404, 414])
    }
  })

  it('or bytes that are not HTTP get an answer too', async () => {
    await server.listen({ port: 0 })
    const { port } = server.server.address() as { port: number }
    const text = await new Promise<string>((resolve, reject) => {
      let got = ''
      const socket = connect(port, '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'))
      socket.on('data', (bytes) => {
        got += bytes
      })
      socket.on('end', () => resolve(got))
      socket.on('error', reject)
    })
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
    expect(JSON.parse(text.split('\r\n\r\n')[1] as string).error.code).toBe('REQUEST_UNREADABLE')
  })
})

describe('another origin', () => {
  it('is told before it sends which methods and headers it may use', async () => {
    const answer = await server.inject({ method: 'OPTIONS', url: '/things', headers: { origin: 'http://x' } })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'http://x',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
      'access-control-allow-headers': expect.stringContaining('idempotency-key'),
      allow: 'GET, HEAD, POST, OPTIONS',
      vary: 'Origin',
    })
  })

  it('may read answers and errors', async () => {
    for (const url of ['/things', '/nope']) {
      const answer = await server.inject({ url, headers: { origin: 'http://x' } })
      expect(answer.headers['access-control-allow-origin']).toBe('http://x')
      expect(answer.headers['access-control-expose-headers']).toContain('consistency-token')
    }
  })

  it('is allowed only as the option says', async () => {
    const seen = async (cors: false | string[] | ((origin: string) => boolean)) => {
      const answer = await httpServer(paths, { cors }).inject({
        method: 'OPTIONS',
        url: '/things',
        headers: { origin: 'http://x' },
      })
      return [
        answer.statusCode,
        answer.headers['access-control-allow-origin'],
        answer.headers['access-control-allow-methods'],
      ]
    }
    expect(await seen(false)).toEqual([200, undefined, undefined])
    expect(await seen(['http://y'])).toEqual([200, undefined, undefined])
    expect((await seen(['http://x']))[1]).toBe('http://x')
    expect((await seen((origin) => origin.endsWith('x')))[1]).toBe('http://x')
  })

  it('is not spoken of where there is none', async () => {
    const answer = await server.inject({ method: 'OPTIONS', url: '/things' })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  })
})
