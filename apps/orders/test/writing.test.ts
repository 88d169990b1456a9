import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { centsOf } from '../money.ts'
import { ISO, NO_SUCH_ORDER, SAMPLE, UUID_V7 } from './installation.ts'
import { onEveryStack } from './stacks.ts'

for (const orders of await onEveryStack()) {
  describe.skipIf(orders.missing)(`writing, ${orders.stack}`, () => {
    beforeAll(() => orders.start('all'))
    afterAll(() => orders.end())

    const updated = { statusCode: 200, data: { message: 'Order updated successfully' } }
    const events = () => orders.count('obverse_event')
    const stored = async (id: string) => (await orders.rows('SELECT * FROM orders WHERE id = ?', id))[0]

    describe('creating', () => {
      it('O-02 creates an order', async () => {
        const answer = await orders.post(SAMPLE)
        expect(answer.status).toBe(201)
        const { id } = answer.json.data
        expect(answer.json).toEqual({ statusCode: 201, data: { id, message: 'Order created successfully' } })
        expect(id).toMatch(UUID_V7)
        expect(answer.headers.get('location')).toBe(`/orders/${id}`)
        expect(answer.headers.get('consistency-token')).toMatch(/^[\w-]+$/)
        expect(await stored(id)).toMatchObject({
          total_cents: 104_999,
          status: 'pending',
          version: 1,
          updated_at: null,
        })
        const items = await orders.rows('SELECT * FROM order_items WHERE order_id = ? ORDER BY position', id)
        expect(items.map(({ price_cents }) => price_cents)).toEqual([99_999, 2_500])
        for (const type of await orders.moneyTypes()) expect(type).toMatch(/^(big)?int(eger)?$/)
      })

      it('O-04 reads it back with a token, as it was written', async () => {
        const answer = await orders.post(SAMPLE)
        const order = await orders.readAfter(answer.json.data.id, answer)
        expect(order).toEqual({
          id: answer.json.data.id,
          customer_name: SAMPLE.customer_name,
          customer_email: SAMPLE.customer_email,
          items: SAMPLE.items,
          total_amount: 1049.99,
          status: 'pending',
          created_at: expect.stringMatching(ISO),
          updated_at: null,
        })
      })

      it('O-24 computes the total, and refuses a different one', async () => {
        const before = await events()
        const answer = await orders.post({ ...SAMPLE, total_amount: 1 })
        expect(answer.status).toBe(422)
        expect(answer.json.error).toMatchObject({
          type: 'VALIDATION_ERROR',
          fields: { total_amount: [expect.any(String)] },
        })
        expect(await events()).toBe(before)
        const { total_amount: _, ...rest } = SAMPLE
        const without = await orders.post(rest)
        expect((await orders.readAfter(without.json.data.id, without)).total_amount).toBe(1049.99)
      })

      it('O-24 computes in cents, not in floats, and up to the largest order there can be', async () => {
        const item = (quantity: number, price: number) => ({ product: 'x', quantity, price })
        const cases: [items: object[], total: number][] = [
          [[item(3, 0.1)], 0.3],
          [[item(1, 0.1), item(1, 0.2)], 0.3],
          [[item(1_000_000, 1_000_000_000)], 1_000_000_000_000_000],
          [[item(1, 0)], 0],
          [[item(7, 1.15), item(1, 4.35)], 12.4],
        ]
        for (const [items, total_amount] of cases) {
          const answer = await orders.post({ ...SAMPLE, items, total_amount })
          expect(answer.status, JSON.stringify(items)).toBe(201)
          expect(await orders.readAfter(answer.json.data.id, answer)).toMatchObject({ items, total_amount })
        }
        const tooMuch = await orders.post({
          ...SAMPLE,
          items: Array(91).fill(item(1_000_000, 1_000_000_000)),
          total_amount: undefined,
        })
        expect([tooMuch.status, tooMuch.json.error.fields]).toEqual([400, { items: [expect.any(String)] }])
      })

      it('O-27 answers a repeat with the same key the same, and creates one order', async () => {
        const headers = { 'idempotency-key': randomUUID() }
        const before = await orders.count('orders')
        const [first, second] = [await orders.post(SAMPLE, headers), await orders.post(SAMPLE, headers)]
        expect(first.status).toBe(201)
        expect([second.status, second.json]).toEqual([201, first.json])
        for (const name of ['location', 'consistency-token'])
          expect(second.headers.get(name)).toBe(first.headers.get(name))
        expect(await orders.count('orders')).toBe(before + 1)
        const other = await orders.post({ ...SAMPLE, customer_name: 'Jane' }, headers)
        expect(other.status).toBe(422)
        expect(other.json.error).not.toHaveProperty('fields')
        expect(await orders.count('orders')).toBe(before + 1)
      })

      it('O-27 repeats refusals, and lets twins that come together create one order', async () => {
        const refused = { 'idempotency-key': randomUUID() }
        const wrong = { ...SAMPLE, total_amount: 1 }
        const [first, second] = [await orders.post(wrong, refused), await orders.post(wrong, refused)]
        expect([second.status, second.json]).toEqual([422, first.json])

        const headers = { 'idempotency-key': randomUUID() }
        const twins = await Promise.all(Array.from({ length: 8 }, () => orders.post(SAMPLE, headers)))
        const ids = twins.filter(({ status }) => status === 201).map(({ json }) => json.data.id)
        expect(new Set(ids).size).toBe(1)
        expect(twins.map(({ status }) => status).filter((status) => status !== 201 && status !== 409)).toEqual([])
      })
    })

    describe('updating', () => {
      it('O-09 completes an order', async () => {
        const id = await orders.create()
        const answer = await orders.patch(id, { status: 'completed' })
        expect([answer.status, answer.json]).toEqual([200, updated])
        expect(await orders.readAfter(id, answer)).toMatchObject({
          status: 'completed',
          updated_at: expect.stringMatching(ISO),
          items: SAMPLE.items,
          total_amount: 1049.99,
        })
      })

      it('O-10 follows every legal transition, and the same status again is no event', async () => {
        const legal = [['processing', 'completed'], ['processing', 'cancelled'], ['completed'], ['cancelled']]
        for (const path of legal) {
          const id = await orders.create()
          for (const status of path) {
            const answer = await orders.patch(id, { status })
            expect([answer.status, answer.json]).toEqual([200, updated])
            expect((await orders.readAfter(id, answer)).status).toBe(status)
            const before = await events()
            const again = await orders.patch(id, { status })
            expect([again.status, again.json]).toEqual([200, updated])
            expect(await events()).toBe(before)
          }
          expect((await stored(id)).version).toBe(path.length + 1)
        }
      })

      it('O-11 replaces items and total', async () => {
        const id = await orders.create()
        const items = [{ product: 'Laptop', quantity: 2, price: 999.99 }]
        const answer = await orders.patch(id, { items, total_amount: 1999.98 })
        expect([answer.status, answer.json]).toEqual([200, updated])
        expect(await orders.readAfter(id, answer)).toMatchObject({ items, total_amount: 1999.98, status: 'pending' })

        const cheaper = [{ product: 'Mouse', quantity: 3, price: 0.1 }]
        const computed = await orders.patch(id, { items: cheaper })
        expect(await orders.readAfter(id, computed)).toMatchObject({ items: cheaper, total_amount: 0.3 })
        expect(await orders.rows('SELECT product FROM order_items WHERE order_id = ?', id)).toEqual([
          { product: 'Mouse' },
        ])

        const alone = await orders.patch(id, { total_amount: 0.3 })
        expect([alone.status, alone.json.error.fields]).toEqual([400, { total_amount: [expect.any(String)] }])
        const wrong = await orders.patch(id, { items, total_amount: 5 })
        expect([wrong.status, wrong.json.error.fields]).toEqual([422, { total_amount: [expect.any(String)] }])
      })

      it('O-11 replaces items of an order that is being processed', async () => {
        const id = await orders.create()
        await orders.patch(id, { status: 'processing' })
        const answer = await orders.patch(id, { items: [{ product: 'Pen', quantity: 1, price: 2 }] })
        expect(answer.status).toBe(200)
        expect(await orders.readAfter(id, answer)).toMatchObject({ status: 'processing', total_amount: 2 })
      })

      it('O-13 finds no order to update', async () => {
        const before = await events()
        const answer = await orders.patch(randomUUID(), { status: 'completed' })
        expect(answer.status).toBe(404)
        expect(answer.json).toEqual({
          statusCode: 404,
          error: { type: 'RESOURCE_NOT_FOUND', description: NO_SUCH_ORDER },
        })
        expect(await events()).toBe(before)
      })

      it.each([
        ['O-14', 'not-a-uuid', { status: 'completed' }, ['id']],
        ['O-15', undefined, { status: 'shipped' }, ['status']],
        ['O-15', undefined, { status: null }, ['status']],
        ['O-16', undefined, {}, ['items', 'status']],
        ['O-16', undefined, { items: [] }, ['items']],
        ['O-16', undefined, { status: 'completed', note: 'x' }, ['note']],
        ['O-16', undefined, { status: 'completed', id: 'x' }, ['id']],
      ])('%s refuses to update %s by %o and stores nothing', async (_, wanted, change, fields) => {
        const id = wanted ?? (await orders.create())
        const [before, row] = [await events(), await stored(id)]
        const answer = await orders.patch(id, change)
        expect(answer.status).toBe(400)
        expect(answer.json.error.type).toBe('VALIDATION_ERROR')
        expect(Object.keys(answer.json.error.fields)).toEqual(fields)
        expect([await events(), await stored(id)]).toEqual([before, row])
      })

      it('O-18 changes status and items together, equally on both sides', async () => {
        const id = await orders.create()
        const items = [{ product: 'Desk', quantity: 1, price: 300.5 }]
        const answer = await orders.patch(id, { status: 'processing', items })
        expect(answer.status).toBe(200)
        const read = await orders.readAfter(id, answer)
        const row = await stored(id)
        expect(read).toMatchObject({
          status: row.status,
          total_amount: row.total_cents / 100,
          updated_at: row.updated_at,
        })
        expect(read.items).toEqual(items)
        expect(
          await orders.rows('SELECT product, quantity, price_cents FROM order_items WHERE order_id = ?', id),
        ).toEqual(items.map(({ price, ...item }) => ({ ...item, price_cents: centsOf(price) })))
      })

      it('O-38 keeps both of two concurrent updates, or refuses one', async () => {
        for (let round = 0; round < 5; round += 1) {
          const id = await orders.create()
          const items = [{ product: 'Desk', quantity: round + 1, price: 10 }]
          const answers = await Promise.all([
            orders.patch(id, { status: 'processing' }),
            orders.patch(id, { items }),
            orders.patch(id, { status: 'completed' }),
          ])
          expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 409)).toEqual([])
          expect(answers.some(({ status }) => status === 200)).toBe(true)
          let read = {} as Record<string, unknown>
          for (const answer of answers) if (answer.status === 200) read = await orders.readAfter(id, answer)
          read = (await orders.get(`/orders/${id}`)).json.data
          const row = await stored(id)
          expect(row.version).toBe(1 + answers.filter(({ status }) => status === 200).length)
          expect(read).toMatchObject({
            status: row.status,
            total_amount: row.total_cents / 100,
            updated_at: row.updated_at,
          })
        }
      })

      it.each([
        ['completed', { status: 'pending' }],
        ['completed', { items: SAMPLE.items }],
        ['completed', { status: 'completed', items: [{ product: 'Pen', quantity: 1, price: 2 }] }],
        ['cancelled', { status: 'completed' }],
        ['cancelled', { items: [{ product: 'Pen', quantity: 1, price: 2 }] }],
        ['processing', { status: 'pending' }],
      ])('O-39 refuses to change a %s order by %o, with the rule in words', async (status, change) => {
        const id = await orders.create()
        await orders.patch(id, { status })
        const before = await events()
        const answer = await orders.patch(id, change)
        expect(answer.status).toBe(409)
        expect(answer.json.error).toEqual({ type: 'CONFLICT', description: expect.stringContaining(status) })
        expect(await events()).toBe(before)
        expect((await orders.patch(id, { status })).status).toBe(200)
        expect(await events()).toBe(before)
      })
    })
  })
}
