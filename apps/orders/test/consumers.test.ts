import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningProcess } from '../../../test/processes.ts'
import { Installation, type Json, until } from './installation.ts'

// Two consumers, and a second subscriber, which is enabled by ORDERS_MAIL_LOG.
const orders = new Installation({ ORDERS_MAIL_LOG: '1' })
let consumers: RunningProcess[]
let ids: string[]

beforeAll(async () => {
  await orders.start('api')
  consumers = await Promise.all([orders.start('consumer'), orders.start('consumer')])
  ids = await Promise.all(Array.from({ length: 100 }, (_, at) => orders.create({ customer_name: `Customer ${at}` })))
  await until('empty queues', () => orders.rows('SELECT count(*) AS n FROM obverse_queue')[0].n === 0, 20_000)
})
afterAll(() => orders.end())

describe('several consumers', () => {
  it('O-42 put each of 100 orders into the read model exactly once', async () => {
    const { json } = await orders.get('/orders?limit=200')
    expect(json.data.map(({ id }: Json) => id).toSorted()).toEqual(ids.toSorted())
    const accepted = orders.rows('SELECT key FROM obverse_event ORDER BY position DESC').map(({ key }) => key)
    expect(json.data.map(({ id }: Json) => id)).toEqual(accepted)
  })

  it('O-42 are both counted', async () => {
    const { stdout } = await orders.orders('queue', 'status', '--json')
    expect(JSON.parse(stdout)).toMatchObject([
      { queue: expect.any(String), messages: 0, consumers: 2 },
      { queue: expect.any(String), messages: 0, consumers: 2 },
    ])
  })

  it('O-43 leave every event to both subscribers', () => {
    const mails = orders.rows('SELECT order_id FROM mail_log').map(({ order_id }) => order_id)
    expect(mails.toSorted()).toEqual(ids.toSorted())
  })

  it('O-48 say so', () => {
    for (const { stdout } of consumers) {
      expect(stdout).toContain('listening on orders_events for order.created, order.updated')
      expect(stdout).toContain('listening on mail for order.created')
    }
    const lines = consumers.flatMap(({ stdout }) => stdout.match(/^Processed event: order\.created$/gm) ?? [])
    expect(lines.length).toBeGreaterThanOrEqual(100)
  })
})
