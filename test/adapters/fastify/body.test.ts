import { httpServer, routes } from 'obverse/fastify'
import { describe, expect, it } from 'vitest'
import { Buy, shop } from './shop.ts'

const { app, asked } = shop({})
const server = httpServer(routes(app).post('/buy', Buy), { bodyLimit: 1_000, depthLimit: 8 })
const post = (payload: string | Buffer | undefined, type: string | undefined = 'application/json') =>
  server.inject({
    method: 'POST',
    url: '/buy',
    ...(payload !== undefined && { payload }),
    headers: { ...(type && { 'content-type': type }) },
  })
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

const unreadable: [what: string, body: string | Buffer | undefined][] = [
  ['broken JSON', '{"customer_name":'],
  ['no body', undefined],
  ['an empty body', ''],
  ['an array', '[]'],
  ['a text', '"x"'],
  ['a number', '5'],
  ['null', 'null'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['NaN', '{"a":NaN}'],
  ['objects nine deep', nested(9)],
  ['arrays nine deep', '['.repeat(9) + ']'.repeat(9)],
]

describe('a body', () => {
  it.each(unreadable)('that is %s is a 400', async (_, body) => {
    const answer = await post(body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toMatchObject({ code: 'BODY_UNREADABLE', message: expect.any(String) })
    expect(asked).toEqual([])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    'of type %s is a 415',
    async (type) => {
      const answer = await post('{}', type)
      expect(answer.statusCode).toBe(415)
      expect(answer.json().error.code).toBe('MEDIA_TYPE_UNSUPPORTED')
    },
  )

  it('of exactly the limit is read, and one byte more is a 413', async () => {
    const fits = `{"sku":"${'x'.repeat(990)}"}`
    expect(fits).toHaveLength(1_000)
    expect((await post(fits)).statusCode).toBe(200)
    expect((await post(`${fits} `)).statusCode).toBe(413)
    asked.length = 0
  })

  it('may have braces in texts, and be as deep as the limit', async () => {
    expect((await post(nested(8))).statusCode).toBe(200)
    expect((await post(`{"sku":"${'{['.repeat(50)}\\"{{{{{{{{{{"}`)).statusCode).toBe(200)
    asked.length = 0
  })

  it('with fields named like members of Object changes no prototype', async () => {
    await post('{"__proto__":{"polluted":1},"constructor":2}')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const data = asked[0]?.data as object
    expect(Object.keys(data).toSorted()).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
  })

  it('of 2 MB is answered while the client is still sending', async () => {
    const url = await server.listen({ port: 0 })
    const answer = await fetch(`${url}/buy`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"sku":"${'x'.repeat(2_000_000)}"}`,
    })
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE' } })
    await server.close()
  })
})
