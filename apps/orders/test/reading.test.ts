import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Json, NO_SUCH_ORDER, SAMPLE } from './installation.ts'
import { onEveryStack } from './stacks.ts'

const ids = (list: Json) => list.map(({ id }: { id: string }) => id)
const next = (link: string | null) => /^<(.+)>; rel="next"$/.exec(link ?? '')?.[1]

for (const orders of await onEveryStack()) {
  describe.skipIf(orders.missing)(`reading, ${orders.stack}`, () => {
    beforeAll(() => orders.start('all'))
    afterAll(() => orders.end())

    describe('reading', () => {
      it('O-01 has a banner', async () => {
        const answer = await orders.get('/')
        expect([answer.status, answer.text]).toEqual([200, 'CQRS Event-Driven Order API'])
      })

      it('O-06 lists no orders', async () => {
        const answer = await orders.get('/orders')
        expect([answer.status, answer.text]).toEqual([200, '{"statusCode":200,"data":[]}'])
      })

      it('O-07 lists the newest first', async () => {
        const a = await orders.create()
        const b = await orders.create()
        await orders.readable(a)
        await orders.readable(b)
        const answer = await orders.get('/orders')
        expect(ids(answer.json.data)).toEqual([b, a])
        expect(answer.json.data[0]).toEqual((await orders.get(`/orders/${b}`)).json.data)
      })

      it.each([randomUUID(), 'abc', '%00', '..%2f..', "' or 1=1", 'x'.repeat(900)])(
        'O-08 finds no order %s',
        async (id) => {
          const answer = await orders.get(`/orders/${id}`)
          expect(answer.status).toBe(404)
          expect(answer.json).toEqual({
            statusCode: 404,
            error: { type: 'RESOURCE_NOT_FOUND', description: NO_SUCH_ORDER },
          })
        },
      )

      it('finds an order whatever the case of its id', async () => {
        const id = await orders.create()
        await orders.readable(id)
        expect((await orders.get(`/orders/${id.toUpperCase()}`)).json.data.id).toBe(id)
        expect((await orders.patch(id.toUpperCase(), { status: 'processing' })).status).toBe(200)
      })

      it('answers with the write that the token came from, or says that it cannot', async () => {
        const { json, headers } = await orders.post(SAMPLE)
        const token = { 'consistency-token': headers.get('consistency-token') as string }
        expect((await orders.get(`/orders/${json.data.id}`, token)).status).toBe(200)
        expect(ids((await orders.get('/orders', token)).json.data)).toContain(json.data.id)
        for (const bad of ['nonsense', '!', 'W10', 'x'.repeat(9_000)]) {
          const answer = await orders.get(`/orders/${json.data.id}`, { 'consistency-token': bad })
          expect([answer.status, answer.json.error.type], bad).toEqual([400, 'BAD_REQUEST'])
          expect(answer.json.error).not.toHaveProperty('fields')
        }
      })

      it('says within 5 s that a token cannot be honoured', async () => {
        const token = Buffer.from(JSON.stringify([['order.created', randomUUID(), 1]])).toString('base64url')
        const began = performance.now()
        const answer = await orders.get('/orders', { 'consistency-token': token })
        expect([answer.status, answer.json.error.type]).toEqual([503, 'SERVER_ERROR'])
        expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
        expect(performance.now() - began).toBeLessThan(7_000)
      })
    })

    describe('listing', () => {
      const email = 'pages@example.com'
      let created: string[]
      beforeAll(async () => {
        const all = await Promise.all(Array.from({ length: 23 }, () => orders.create({ customer_email: email })))
        for (const id of all) await orders.readable(id)
        created = (await orders.accepted()).filter((id) => all.includes(id))
      })

      it('follows next through every order once, in order of acceptance, while others arrive', async () => {
        const seen: string[] = []
        let path: string | undefined = `/orders?customer_email=${encodeURIComponent(email)}&limit=5`
        while (path) {
          const { status, json, headers } = await orders.get(path)
          expect(status).toBe(200)
          expect(json.data.length).toBeLessThanOrEqual(5)
          seen.push(...ids(json.data))
          path = next(headers.get('link'))
          const another = await orders.create({ customer_email: email })
          await orders.readable(another)
        }
        expect(seen).toEqual(created)
      })

      it('filters by status, by customer, and by both', async () => {
        const mine = `filter-${randomUUID()}@example.com`
        const [a, b] = [await orders.create({ customer_email: mine }), await orders.create({ customer_email: mine })]
        const answer = await orders.patch(a, { status: 'cancelled' })
        await orders.readAfter(a, answer)
        await orders.readable(b)
        const list = async (query: string) => ids((await orders.get(`/orders?${query}`)).json.data)
        expect(await list(`customer_email=${mine}`)).toEqual([b, a])
        expect(await list('status=cancelled')).toEqual([a])
        expect(await list(`status=pending&customer_email=${mine}`)).toEqual([b])
        expect(await list(`status=completed&customer_email=${mine}`)).toEqual([])
        expect(await list('customer_email=nobody')).toEqual([])
      })

      it('says 50 by default, up to 200, and no next on the last page', async () => {
        const all = await orders.get('/orders?limit=200')
        expect(all.json.data.length).toBeGreaterThan(23)
        expect(all.headers.get('link')).toBeNull()
        expect((await orders.get('/orders?limit=1')).json.data).toHaveLength(1)
      })

      it.each([
        ['limit=0', 'limit'],
        ['limit=201', 'limit'],
        ['limit=-1', 'limit'],
        ['limit=1.5', 'limit'],
        ['limit=x', 'limit'],
        ['limit=', 'limit'],
        ['limit=1e1', 'limit'],
        ['limit=1&limit=2', 'limit'],
        ['status=shipped', 'status'],
        ['status=', 'status'],
        ['cursor=nonsense', 'cursor'],
        ['cursor=', 'cursor'],
        ['cursor=%00', 'cursor'],
        ['stauts=pending', 'stauts'],
      ])('refuses %s by the name of the field', async (query, field) => {
        const answer = await orders.get(`/orders?${query}`)
        expect([answer.status, answer.json.error.type]).toEqual([400, 'VALIDATION_ERROR'])
        expect(Object.keys(answer.json.error.fields)).toEqual([field])
      })

      it('refuses a cursor of another question', async () => {
        const { headers } = await orders.get('/orders?limit=1')
        const cursor = new URL(next(headers.get('link')) as string, orders.url).searchParams.get('cursor')
        const answer = await orders.get(`/orders?limit=1&status=pending&cursor=${cursor}`)
        expect([answer.status, Object.keys(answer.json.error.fields)]).toEqual([400, ['cursor']])
      })
    })

    describe('the edges of the API', () => {
      it('O-44 says which methods a path knows', async () => {
        const id = randomUUID()
        for (const [method, path, allowed] of [
          ['DELETE', `/orders/${id}`, ['GET', 'PATCH']],
          ['PUT', '/orders', ['GET', 'POST']],
          ['POST', '/', ['GET']],
          ['DELETE', '/health', ['GET']],
        ] as const) {
          const answer = await orders.request(method, path)
          expect([answer.status, answer.json.error.type]).toEqual([405, 'NOT_ALLOWED'])
          for (const each of allowed) {
            expect(answer.headers.get('allow')).toContain(each)
            expect(answer.json.error.description).toContain(each)
          }
        }
      })

      it('O-45 does not know other paths', async () => {
        for (const path of ['/nope', '/orders/1/items', '/Orders']) {
          const answer = await orders.get(path)
          expect([answer.status, answer.json]).toEqual([
            404,
            { statusCode: 404, error: { type: 'RESOURCE_NOT_FOUND', description: 'Not found.' } },
          ])
        }
      })

      it('O-46 lets a browser ask from elsewhere', async () => {
        const answer = await orders.request('OPTIONS', '/orders', undefined, { origin: 'http://x' })
        expect([answer.status, answer.text]).toEqual([200, ''])
        expect(answer.headers.get('access-control-allow-origin')).toBe('http://x')
        expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH')
      })

      it('describes itself', async () => {
        const health = await orders.get('/health')
        expect(health.status).toBe(200)
        expect(health.json.data.dependencies.length).toBeGreaterThan(0)
        const document = await orders.get('/openapi.json')
        expect(Object.keys(document.json.paths)).toEqual(['/orders', '/orders/{id}', '/health'])
        expect((await orders.get('/docs')).text).toContain('/openapi.json')
      })
    })
  })
}
