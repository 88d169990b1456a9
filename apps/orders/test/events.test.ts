import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunningProcess } from '../../../test/processes.ts'
import { ISO, type Json, NO_SUCH_ORDER, SAMPLE, UUID_V7, until } from './installation.ts'
import { ServersInstallation } from './on-servers.ts'
import { onEveryStack } from './stacks.ts'

for (const orders of await onEveryStack()) {
  describe.skipIf(orders.missing)(`the way of an event, ${orders.stack}`, () => {
    let api: RunningProcess
    let relay: RunningProcess
    let consumer: RunningProcess

    beforeAll(async () => {
      api = await orders.start('api')
      relay = await orders.start('relay')
    })
    afterAll(() => orders.end())

    /** What the application's own command line says of its queue, once all that was accepted has got there. */
    const queueHolds = (counts: object) =>
      vi.waitFor(
        async () => {
          const { stdout } = await orders.orders('queue', 'status', '--json')
          expect(JSON.parse(stdout)).toEqual([{ queue: 'orders_events', ...counts }])
        },
        { timeout: 10_000, interval: 100 },
      )
    const queued = (count: number): Promise<Json[]> =>
      vi.waitFor(
        async () => {
          const messages = await orders.queued()
          expect(messages).toHaveLength(count)
          return messages
        },
        { timeout: 10_000 },
      )

    let id: string
    let created: Json

    it('O-03 waits in the queue while nobody consumes', async () => {
      id = await orders.create()
      const answer = await orders.get(`/orders/${id}`)
      expect([answer.status, answer.json.error]).toEqual([
        404,
        { type: 'RESOURCE_NOT_FOUND', description: NO_SUCH_ORDER },
      ])
      expect(await orders.rows('SELECT id FROM orders')).toEqual([{ id }])
      await queueHolds({ messages: 1, consumers: 0, held: 0, dead: 0 })
    })

    it('O-05 is self-describing', async () => {
      const messages = await orders.queued()
      expect(messages).toHaveLength(1)
      created = messages[0]
      expect(created).toMatchObject({
        id: expect.stringMatching(UUID_V7),
        type: 'order.created',
        time: expect.stringMatching(ISO),
        key: id,
        seq: 1,
      })
      expect(created.data).toEqual({
        order_id: id,
        ...SAMPLE,
        status: 'pending',
        created_at: expect.stringMatching(ISO),
        version: 1,
      })
    })

    it('O-48 is announced by the consumer, and O-04 can be read', async () => {
      consumer = await orders.start('consumer')
      expect(consumer.stdout).toMatch(/consumer +started/)
      expect(consumer.stdout).toContain('listening on orders_events for order.created, order.updated')
      const order = await orders.readable(id)
      expect(order).toEqual({
        id,
        ...SAMPLE,
        status: 'pending',
        created_at: created.data.created_at,
        updated_at: null,
      })
      await consumer.printed(/^Processed event: order\.created$/m)
      await orders.consumed(consumer)
      await queueHolds({ messages: 0, consumers: 0, held: 0, dead: 0 })
      if (orders instanceof ServersInstallation) {
        const { id: _id, ...document } = order
        expect(await orders.document(id)).toMatchObject({ _id, ...document })
      }
    })

    it('O-12 tells of what changed, and of nothing else', async () => {
      await orders.patch(id, { status: 'processing' })
      await orders.patch(id, { items: [{ product: 'Pad', quantity: 1, price: 1049.99 }] })
      await orders.patch(id, { items: [{ product: 'Pad', quantity: 1, price: 1049.99 }] })
      const [status, items] = await queued(2)
      expect(status).toMatchObject({ type: 'order.updated', key: id, seq: 2 })
      expect(status.data).toEqual({
        order_id: id,
        status: 'processing',
        updated_at: expect.stringMatching(ISO),
        version: 2,
      })
      expect(items.data).toEqual({
        order_id: id,
        items: [{ product: 'Pad', quantity: 1, price: 1049.99 }],
        updated_at: expect.stringMatching(ISO),
        version: 3,
      })
    })

    it('O-32 goes on behind a message that cannot be read', async () => {
      await orders.put('not json', '{"id":"x"}', '[]')
      const valid = await orders.create()
      consumer = await orders.start('consumer')
      await orders.readable(valid)
      await orders.consumed(consumer)
      const letters = await orders.deadLetters()
      expect(letters.map(({ body }: Json) => body)).toEqual(expect.arrayContaining(['not json', '{"id":"x"}', '[]']))
      expect(letters).toHaveLength(3)
      for (const letter of letters)
        expect(letter).toMatchObject({ code: 'MESSAGE_MALFORMED', reason: expect.any(String) })
    })

    it('O-35 is applied once, however often it is delivered', async () => {
      const before = (await orders.get(`/orders/${id}`)).json.data
      expect(before).toMatchObject({ status: 'processing', updated_at: expect.stringMatching(ISO) })
      await orders.put(JSON.stringify(created), JSON.stringify(created))
      consumer = await orders.start('consumer')
      await orders.consumed(consumer)
      expect((await orders.get(`/orders/${id}`)).json.data).toEqual(before)
      expect((await orders.get('/orders')).json.data.filter((order: Json) => order.id === id)).toHaveLength(1)
      expect(await orders.deadLetters()).toHaveLength(3)
    })

    it('O-36 is applied in its order, whatever order it comes in', async () => {
      const late = await orders.create()
      await orders.patch(late, { status: 'completed' })
      const [first, second] = (await queued(2)).map((message) => JSON.stringify(message))
      await orders.emptyQueue()
      await orders.put(second as string, first as string)
      consumer = await orders.start('consumer')
      await orders.consumed(consumer)
      expect(await orders.readable(late)).toMatchObject({
        status: 'completed',
        items: SAMPLE.items,
        total_amount: 1049.99,
      })
    })

    it('O-29 survives the death of API and relay right after the answer', async () => {
      await relay.kill()
      const saved = await orders.create()
      await api.kill()
      api = await orders.start('api')
      relay = await orders.start('relay')
      consumer = await orders.start('consumer')
      expect(await orders.readable(saved)).toMatchObject({ id: saved, status: 'pending' })
      await orders.consumed(consumer)
    })

    it('O-30 survives the death of its consumer', async () => {
      const pending = await Promise.all(Array.from({ length: 10 }, () => orders.create()))
      const killed = await orders.start('consumer')
      await killed.kill()
      consumer = await orders.start('consumer')
      for (const each of pending) await orders.readable(each, 20_000)
      await orders.consumed(consumer, 20_000)
    })

    it('O-50 makes the read model again from the log', async () => {
      const before = (await orders.get('/orders?limit=200')).json
      expect(before.data.length).toBeGreaterThan(10)
      await orders.wipeReadStore()
      expect((await orders.get('/orders')).json.data).toEqual([])
      const { code, output } = await orders.obverse('projections', 'rebuild', 'order-list')
      expect(code, output).toBe(0)
      await until('the same list', async () => {
        const now = (await orders.get('/orders?limit=200')).json
        return JSON.stringify(now) === JSON.stringify(before)
      })
      consumer = await orders.start('consumer')
      const after = await orders.create()
      await orders.readable(after)
      expect((await orders.get('/orders?limit=200')).json.data.slice(1)).toEqual(before.data)
    })

    it('O-04 stops when it is asked to, and leaves nothing taken', async () => {
      expect((await consumer.stop()).code).toBe(0)
      await queueHolds({ messages: 0, consumers: 0, held: 0, dead: 3 })
    })
  })
}
