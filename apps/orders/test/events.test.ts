import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningProcess } from '../../../test/processes.ts'
import { Installation, ISO, type Json, NO_SUCH_ORDER, SAMPLE, UUID_V7, until } from './installation.ts'

const orders = new Installation()
let consumer: RunningProcess

beforeAll(async () => {
  await orders.start('api')
})
afterAll(() => orders.end())

const waiting = () => orders.rows("SELECT count(*) AS n FROM obverse_queue WHERE channel = 'orders_events'")[0].n
const consumed = () => until('an empty queue', () => waiting() === 0)
const put = async (...bodies: string[]) => {
  const file = join(orders.folder.path, 'raw.txt')
  writeFileSync(file, bodies.join('\n'))
  const { code, output } = await orders.obverse('channels', 'put', 'orders_events', '--raw', file, '--lines')
  expect(code, output).toBe(0)
}

describe('the way of an event', () => {
  let id: string
  let created: Json

  it('O-03 waits in the queue while nobody consumes', async () => {
    id = await orders.create()
    const answer = await orders.get(`/orders/${id}`)
    expect([answer.status, answer.json.error]).toEqual([
      404,
      { type: 'RESOURCE_NOT_FOUND', description: NO_SUCH_ORDER },
    ])
    expect(orders.rows('SELECT id FROM orders')).toEqual([{ id }])
    const { code, stdout } = await orders.orders('queue', '--json')
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      [{ queue: 'orders_events', messages: 1, consumers: 0, held: 0, dead: 0 }],
    ])
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
    await consumed()
    await consumer.printed(/^Processed event: order\.created$/m)
    await consumer.stop()
  })

  it('O-12 tells of what changed, and of nothing else', async () => {
    await orders.patch(id, { status: 'processing' })
    await orders.patch(id, { items: [{ product: 'Pad', quantity: 1, price: 1049.99 }] })
    await orders.patch(id, { items: [{ product: 'Pad', quantity: 1, price: 1049.99 }] })
    const [status, items, ...more] = await orders.queued()
    expect(more).toEqual([])
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
    await put('not json', '{"id":"x"}', '[]')
    const valid = await orders.create()
    consumer = await orders.start('consumer')
    await orders.readable(valid)
    await consumed()
    const { stdout } = await orders.obverse('failed', 'list', '--json')
    const letters = JSON.parse(stdout)
    expect(letters.map(({ body }: Json) => body)).toEqual(expect.arrayContaining(['not json', '{"id":"x"}', '[]']))
    expect(letters).toHaveLength(3)
    for (const letter of letters)
      expect(letter).toMatchObject({ code: 'MESSAGE_MALFORMED', reason: expect.any(String) })
    await consumer.stop()
  })

  it('O-35 is applied once, however often it is delivered', async () => {
    const before = (await orders.get(`/orders/${id}`)).json.data
    expect(before).toMatchObject({ status: 'processing', updated_at: expect.stringMatching(ISO) })
    await put(JSON.stringify(created), JSON.stringify(created))
    consumer = await orders.start('consumer')
    await consumed()
    expect((await orders.get(`/orders/${id}`)).json.data).toEqual(before)
    expect((await orders.get('/orders')).json.data.filter((order: Json) => order.id === id)).toHaveLength(1)
    expect(JSON.parse((await orders.obverse('failed', 'list', '--json')).stdout)).toHaveLength(3)
    await consumer.stop()
  })

  it('O-36 is applied in its order, whatever order it comes in', async () => {
    const late = await orders.create()
    await orders.patch(late, { status: 'completed' })
    const [first, second] = (await orders.queued()).map((message) => JSON.stringify(message))
    orders.sql((database) => database.exec("DELETE FROM obverse_queue WHERE channel = 'orders_events'"))
    await put(second as string, first as string)
    consumer = await orders.start('consumer')
    await consumed()
    expect(await orders.readable(late)).toMatchObject({
      status: 'completed',
      items: SAMPLE.items,
      total_amount: 1049.99,
    })
    await consumer.stop()
  })

  it('O-29 survives the death of the API right after its answer', async () => {
    const saved = await orders.create()
    const api = orders.processes[0] as RunningProcess
    await api.kill()
    await orders.start('api')
    consumer = await orders.start('consumer')
    expect(await orders.readable(saved)).toMatchObject({ id: saved, status: 'pending' })
  })

  it('O-30 survives the death of its consumer', async () => {
    await consumer.stop()
    const pending = await Promise.all(Array.from({ length: 10 }, () => orders.create()))
    const killed = await orders.start('consumer')
    await killed.kill()
    consumer = await orders.start('consumer')
    for (const each of pending) await orders.readable(each, 20_000)
    await until('an empty queue', () => waiting() === 0, 20_000)
  })

  it('O-50 makes the read model again from the log', async () => {
    const before = (await orders.get('/orders?limit=200')).json
    expect(before.data.length).toBeGreaterThan(10)
    wipeReadModel()
    expect((await orders.get('/orders')).json.data).toEqual([])
    const { code, output } = await orders.obverse('projections', 'rebuild', 'order-list')
    expect(code, output).toBe(0)
    await until('the same list', async () => {
      const now = (await orders.get('/orders?limit=200')).json
      return JSON.stringify(now) === JSON.stringify(before)
    })
  })

  it('O-04 stops when it is asked to, and leaves nothing taken', async () => {
    expect((await consumer.stop()).code).toBe(0)
    const { stdout } = await orders.orders('queue', 'status')
    expect(stdout).toMatch(/^orders_events +0 +0 +0 +3$/m)
  })
})

function wipeReadModel(): void {
  orders.sql((database) => {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'obverse_view%'")
      .all()
    expect(tables.length).toBeGreaterThan(0)
    for (const { name } of tables) database.exec(`DELETE FROM "${name}"`)
  })
}
