import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunningProcess } from '../../../test/processes.ts'
import { type Json, until } from './installation.ts'
import { onEveryStack } from './stacks.ts'

const ORDERS = 100

// Two consumers and two partitions, and a second subscriber, which is enabled by ORDERS_MAIL_LOG.
for (const orders of await onEveryStack({ ORDERS_MAIL_LOG: '1', ORDERS_PARTITIONS: '2' })) {
  describe.skipIf(orders.missing)(`several consumers, ${orders.stack}`, () => {
    let consumers: RunningProcess[]
    let ids: string[]

    beforeAll(async () => {
      const started = [orders.startWriting(), orders.start('consumer'), orders.start('consumer')] as const
      const [, ...both] = await Promise.all(started)
      consumers = both
      ids = await Promise.all(
        Array.from({ length: ORDERS }, async (_, at) => {
          const id = await orders.create({ customer_name: `Customer ${at}` })
          for (const change of [
            { status: 'processing' },
            { items: [{ product: `Thing ${at}`, quantity: at + 1, price: 1 }] },
          ]) {
            const { status } = await orders.patch(id, change)
            expect(status).toBe(200)
          }
          return id
        }),
      )
      await until('empty queues', async () => (await orders.waiting()) + (await orders.waiting('mail')) === 0, 30_000)
    }, 60_000)
    afterAll(() => orders.end())

    it('O-42 put each of 100 orders into the read model exactly once', async () => {
      const { json } = await orders.get('/orders?limit=200')
      expect(json.data.map(({ id }: Json) => id).toSorted()).toEqual(ids.toSorted())
      expect(json.data.map(({ id }: Json) => id)).toEqual(await orders.accepted())
    })

    it('O-42 kept the order of each: what is read is what is written', async () => {
      const { json } = await orders.get('/orders?limit=200')
      const written = await orders.rows('SELECT id, status, version, updated_at FROM orders')
      expect(written.filter(({ version }) => version !== 3)).toEqual([])
      const read = new Map<string, Json>(json.data.map((order: Json) => [order.id, order]))
      for (const { id, status, updated_at } of written) {
        expect(read.get(id)).toMatchObject({ status, updated_at, items: [{ price: 1 }] })
        expect(read.get(id).total_amount).toBe(read.get(id).items[0].quantity)
      }
      expect(await orders.deadLetters()).toEqual([])
    })

    // the server counts those that wait for their turn some seconds late
    it('O-42 are both counted', () =>
      vi.waitFor(
        async () => {
          const { stdout } = await orders.orders('queue', 'status', '--json')
          expect(JSON.parse(stdout)).toMatchObject([
            { queue: 'orders_events', messages: 0, consumers: 2, held: 0, dead: 0 },
            { queue: 'mail', messages: 0, consumers: 2, held: 0, dead: 0 },
          ])
        },
        { timeout: 15_000 },
      ))

    it('O-43 leave every event to both subscribers', async () => {
      const mails = (await orders.rows('SELECT order_id FROM mail_log')).map(({ order_id }) => order_id)
      expect(mails.toSorted()).toEqual(ids.toSorted())
    })

    it('O-48 say so', () => {
      for (const { stdout } of consumers) {
        expect(stdout).toContain('listening on orders_events for order.created, order.updated')
        expect(stdout).toContain('listening on mail for order.created')
      }
      const lines = consumers.flatMap(({ stdout }) => stdout.match(/^Processed event: order\.created$/gm) ?? [])
      expect(lines.length).toBeGreaterThanOrEqual(ORDERS)
    })
  })
}
