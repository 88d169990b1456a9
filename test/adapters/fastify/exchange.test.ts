import { ObverseError, refuse } from 'obverse'
import { type HttpOptions, httpServer, routes } from 'obverse/fastify'
import { describe, expect, it } from 'vitest'
import { Buy, Change, Find, Look, shop } from './shop.ts'

const ID = '0198c1b2-7d2a-7c3e-9a55-1f2e3d4c5b6a'

function serve(script: Parameters<typeof shop>[0] = {}, options: HttpOptions = {}) {
  const { app, asked } = shop(script)
  const paths = routes(app)
    .post('/things', Buy, {
      status: 201,
      reply: ({ id }) => ({ id, message: 'bought' }),
      headers: { Location: { description: 'where', value: ({ id }) => `/things/${id}` } },
    })
    .patch('/things/:id', Change)
    .get('/things', Find)
    .get('/things/:id', Look, { missing: 'No such thing.' })
  return { server: httpServer(paths, options), asked }
}
const json = { 'content-type': 'application/json' }

describe('a command', () => {
  it('answers with status, reply, headers, token and message id', async () => {
    const { server, asked } = serve()
    const answer = await server.inject({
      method: 'POST',
      url: '/things',
      headers: json,
      payload: '{"sku":"a","pieces":1}',
    })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ id: 'b1', message: 'bought' })
    expect(answer.headers).toMatchObject({
      location: '/things/b1',
      'consistency-token': 'tok',
      'message-id': 'm1',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(asked).toEqual([{ type: 'shop.buy', data: { sku: 'a', pieces: 1 }, options: { metadata: {} } }])
  })

  it('that changed nothing has no token', async () => {
    const { server } = serve({ send: () => ({ messageId: 'm1', result: { id: 'b1' }, token: '', replayed: false }) })
    const answer = await server.inject({ method: 'POST', url: '/things', headers: json, payload: '{}' })
    expect(answer.headers).not.toHaveProperty('consistency-token')
  })

  it('that is asynchronous is accepted with its message id', async () => {
    const { server } = serve({ send: () => ({ messageId: 'm7', token: 'later', done: async () => 'changed' }) })
    const answer = await server.inject({
      method: 'PATCH',
      url: `/things/${ID}`,
      headers: json,
      payload: '{"pieces":2}',
    })
    expect(answer.statusCode).toBe(202)
    expect(answer.json()).toEqual({ messageId: 'm7' })
    expect(answer.headers['consistency-token']).toBe('later')
  })

  it('gets its data from path and body, and refuses a field that is in both', async () => {
    const { server, asked } = serve()
    const patch = (payload: string) => server.inject({ method: 'PATCH', url: `/things/${ID}`, headers: json, payload })
    await patch('{"pieces":2}')
    expect(asked[0]?.data).toEqual({ id: ID, pieces: 2 })
    const answer = await patch('{"pieces":2,"id":"other"}')
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toMatchObject({ code: 'VALIDATION_FAILED', fields: { id: [expect.any(String)] } })
    expect(asked).toHaveLength(1)
  })

  it('passes on the idempotency key, and refuses one that is none', async () => {
    const { server, asked } = serve()
    const buy = (key: string) =>
      server.inject({ method: 'POST', url: '/things', headers: { ...json, 'idempotency-key': key }, payload: '{}' })
    for (const key of ['k', 'x'.repeat(255), 'a b~!']) expect((await buy(key)).statusCode).toBe(201)
    expect(asked.map(({ options }) => options.idempotencyKey)).toEqual(['k', 'x'.repeat(255), 'a b~!'])
    for (const key of ['', ' ', 'x'.repeat(256), 'caf\u00e9', 'a\tb']) {
      const answer = await buy(key)
      expect(answer.statusCode, JSON.stringify(key)).toBe(400)
      expect(answer.json().error.code).toBe('IDEMPOTENCY_KEY_INVALID')
    }
    expect(asked).toHaveLength(3)
  })

  it('knows who asks and which trace it belongs to', async () => {
    const { server, asked } = serve({}, { principal: (request) => request.headers.authorization })
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const headers = { ...json, authorization: 'ann', traceparent }
    await server.inject({ method: 'POST', url: '/things', headers, payload: '{}' })
    await server.inject({ method: 'POST', url: '/things', headers: { ...headers, traceparent: 'junk' }, payload: '{}' })
    expect(asked.map(({ options }) => options)).toEqual([
      { principal: 'ann', metadata: { traceparent } },
      { principal: 'ann', metadata: {} },
    ])
  })
})

describe('a query', () => {
  it('gets numbers and booleans from its texts, and the schema sees what they are not', async () => {
    const { server, asked } = serve({ ask: () => [] })
    for (const search of [
      '',
      '?limit=7&sold=true&sku=42',
      '?limit=7x',
      '?limit=0x10',
      '?limit=1&limit=2',
      '?sku=%zz',
    ]) {
      expect((await server.inject(`/things${search}`)).statusCode).toBe(200)
    }
    expect(asked.map(({ data }) => data)).toEqual([
      {},
      { limit: 7, sold: true, sku: '42' },
      { limit: '7x' },
      { limit: '0x10' },
      { limit: ['1', '2'] },
      { sku: '%zz' },
    ])
  })

  it('passes on the token', async () => {
    const { server, asked } = serve({ ask: () => [] })
    await server.inject({ url: '/things', headers: { 'consistency-token': 'abc' } })
    await server.inject({ url: '/things', headers: { 'consistency-token': '' } })
    expect(asked.map(({ options }) => options)).toEqual([{ after: 'abc' }, {}])
  })

  it('without a result is a 404 in the words of its route', async () => {
    const { server } = serve()
    const answer = await server.inject(`/things/${ID}`)
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toEqual({ error: { code: 'NOT_FOUND', message: 'No such thing.' } })
  })

  it('answers HEAD without a body', async () => {
    const { server } = serve({ ask: () => ({ id: ID }) })
    const answer = await server.inject({ method: 'HEAD', url: `/things/${ID}` })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  })
})

describe('an error', () => {
  const failing = (error: unknown) => {
    const errors: unknown[] = []
    const throwing = () => {
      throw error
    }
    const { server } = serve({ send: throwing, ask: throwing }, { onError: (seen) => errors.push(seen) })
    return { server, errors }
  }

  it('of the application reaches the client', async () => {
    const { server, errors } = failing(refuse('Too late', { reason: 'late' }))
    const answer = await server.inject({ method: 'POST', url: '/things', headers: json, payload: '{}' })
    expect([answer.statusCode, answer.json()]).toEqual([
      409,
      { error: { code: 'REFUSED', message: 'Too late', reason: 'late' } },
    ])
    expect(errors).toEqual([])
  })

  it('of ours reaches the log only', async () => {
    const fault = new TypeError('secret')
    const { server, errors } = failing(fault)
    const answer = await server.inject('/things')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(errors).toEqual([fault])
  })

  it('that passes by itself says when to come back', async () => {
    const { server } = failing(new ObverseError('CONSISTENCY_TIMEOUT', 'secret'))
    const answer = await server.inject('/things')
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1'])
  })
})

describe('health', () => {
  const state = (ok: boolean) => () => [
    { name: 'store', ok: true, detail: '/var/secret.db' },
    { name: 'broker', ok, detail: 'secret.example:5672' },
  ]

  it('tells of every dependency by name and state', async () => {
    const answer = await serve({ health: state(true) }).server.inject('/health')
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        status: 'up',
        dependencies: [
          { name: 'store', status: 'up' },
          { name: 'broker', status: 'up' },
        ],
      },
    ])
  })

  it('is a 503 that names what is down', async () => {
    const answer = await serve({ health: state(false) }).server.inject('/health')
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toMatchObject({ status: 'down', error: { message: expect.stringContaining('broker') } })
    expect(answer.body).not.toContain('secret')
  })
})

describe('a table of routes', () => {
  it('knows what each route answers with', () => {
    const { app } = shop({})
    const table = routes(app)
      .post('/buy', Buy, { reply: (result) => result.id satisfies string })
      .patch('/change/:id', Change, { reply: (accepted) => accepted.messageId satisfies string })
      .get('/find', Find, { reply: (found) => found.length satisfies number })
      .get('/look/:id', Look, { reply: (row) => row?.id satisfies string | undefined })
    expect(table.list).toHaveLength(4)
    // @ts-expect-error a query does not change anything: it has no POST
    const wrong = () => routes(app).post('/find', Find)
    // @ts-expect-error the result has no such field
    const nothing = () => routes(app).post('/buy', Buy, { reply: (result) => result.name })
    expect([wrong, nothing].every((each) => typeof each === 'function')).toBe(true)
  })

  it('refuses a definition that the application does not know', () => {
    const { app } = shop({})
    const stranger = { ...Find, type: 'shop.nothing' } as unknown as typeof Find
    expect(() => routes(app).get('/x', stranger)).toThrow(expect.objectContaining({ code: 'HANDLER_MISSING' }))
  })

  it('refuses a method and path that are there already', () => {
    const { app } = shop({})
    expect(() => routes(app).get('/x', Find).get('/x', Look)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    )
  })
})
