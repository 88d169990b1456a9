// Servers that are stopped, killed and started again under the application: real ones, of this file's own.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunningProcess } from '../../../test/processes.ts'
import { fresh, ownServer } from '../../../test/servers.ts'
import { type Json, SAMPLE, until } from './installation.ts'
import { ServersInstallation } from './on-servers.ts'

/** A broker needs up to ten seconds to start, on a busy machine twice that. */
const PATIENCE = 60_000

const [postgres, rabbitmq, mongodb] = await Promise.all([
  ownServer('postgres'),
  ownServer('rabbitmq'),
  ownServer('mongodb'),
])
const orders = new ServersInstallation({ postgres, rabbitmq, mongodb })

describe.skipIf(orders.missing)('orders while a server is down', { timeout: PATIENCE }, () => {
  let consumer: RunningProcess
  let before: string

  beforeAll(async () => {
    await orders.startWriting()
    consumer = await orders.start('consumer')
    before = await orders.create()
    await orders.readable(before)
  }, PATIENCE)
  afterAll(() => orders.end())

  const down = async (): Promise<readonly string[]> => {
    const { json } = await orders.get('/health')
    return json.data.dependencies.filter(({ status }: Json) => status === 'down').map(({ name }: Json) => name)
  }
  const createSome = (count: number) => Promise.all(Array.from({ length: count }, () => orders.create()))
  /** Outages cost no attempt: nothing is given up, or held for another try. */
  const nothingGivenUp = async () => {
    expect(await orders.deadLetters()).toEqual([])
    const { stdout } = await orders.orders('queue', '--json')
    expect(JSON.parse(stdout)).toMatchObject([{ held: 0, dead: 0 }])
  }

  it('O-40 reads while the write store is down, and says of writes that they have to wait', async () => {
    const written = await orders.patch(before, { status: 'processing' })
    await orders.readAfter(before, written)
    await postgres.stop()
    expect((await orders.get('/orders')).json.data).toMatchObject([{ id: before }])
    expect(await orders.readAfter(before, written)).toMatchObject({ id: before, status: 'processing' })
    for (const refused of [await orders.post(SAMPLE), await orders.patch(before, { status: 'completed' })]) {
      expect([refused.status, refused.json.error.type]).toEqual([503, 'SERVER_ERROR'])
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(refused.text).not.toMatch(/postgres|127\.0\.0\.1|ECONN/i)
    }
    expect(await down()).toEqual(['store'])
    await postgres.start()
    const id = await until('a write', async () => {
      const { status, json } = await orders.post(SAMPLE)
      return status === 201 && json.data.id
    })
    await orders.readable(id, 30_000)
    expect(await down()).toEqual([])
  })

  it('O-41 writes while the read store is down; it can be read after the recovery', async () => {
    await mongodb.stop()
    const began = performance.now()
    const created = await orders.post(SAMPLE)
    expect(created.status).toBe(201)
    expect(performance.now() - began).toBeLessThan(3_000)
    const read = await orders.get(`/orders/${created.json.data.id}`)
    expect([read.status, read.json.error.type]).toEqual([503, 'SERVER_ERROR'])
    expect(read.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await down()).toEqual(['views orders'])
    await mongodb.start()
    expect(await orders.readable(created.json.data.id, 30_000)).toMatchObject({
      status: 'pending',
      total_amount: 1049.99,
    })
    expect(await down()).toEqual([])
    await nothingGivenUp()
  })

  it('O-31 tries again what could not be applied, and applies it all', async () => {
    await mongodb.kill9()
    const seen = consumer.output.length
    const ids = await createSome(10)
    for (const id of ids) expect((await orders.patch(id, { status: 'processing' })).status).toBe(200)
    await until('an outage', () => /MongoDB .+ does not answer/.test(consumer.output.slice(seen)))
    await mongodb.start()
    for (const id of ids) {
      await until('the update', async () => (await orders.readable(id, 30_000)).status === 'processing', 30_000)
    }
    await nothingGivenUp()
  })

  it('O-28 takes orders while the broker is down; they arrive when it is back', async () => {
    await rabbitmq.stop()
    const created = await orders.post(SAMPLE)
    expect(created.status).toBe(201)
    expect(await orders.rows('SELECT status FROM orders WHERE id = ?', created.json.data.id)).toHaveLength(1)
    await vi.waitFor(async () => expect(await down()).toEqual(['rabbitmq']), { timeout: 10_000 })
    await rabbitmq.start()
    await orders.readable(created.json.data.id, 40_000)
    await vi.waitFor(async () => expect(await down()).toEqual([]), { timeout: 20_000 })
    await nothingGivenUp()
  })

  it('O-30 loses nothing of what is in the queue when the broker is killed', async () => {
    // with what the view has had from the log already, while the broker was away
    await orders.consumed(consumer, 40_000)
    const ids = await createSome(10)
    await vi.waitFor(
      async () => {
        const { stdout } = await orders.orders('queue', '--json')
        expect(JSON.parse(stdout)).toMatchObject([{ messages: 10 }])
      },
      { timeout: 20_000 },
    )
    await rabbitmq.kill9()
    await rabbitmq.start()
    consumer = await orders.start('consumer')
    for (const id of ids) await orders.readable(id, 40_000)
    await orders.consumed(consumer)
    await nothingGivenUp()
  })
})

const [shared, broker, forgetful] = await Promise.all([
  fresh('postgres'),
  fresh('rabbitmq'),
  ownServer('mongodb-memory'),
])
const amnesiac = new ServersInstallation({ postgres: shared, rabbitmq: broker, mongodb: forgetful })

describe.skipIf(amnesiac.missing)('orders after the read store has come back empty', { timeout: PATIENCE }, () => {
  beforeAll(() => amnesiac.start('all'), PATIENCE)
  afterAll(() => amnesiac.end())

  it('O-41 and O-50: all are in it again, by themselves, with those of the meantime', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => amnesiac.create()))
    for (const id of ids) {
      const written = await amnesiac.patch(id, { status: 'completed' })
      await amnesiac.readAfter(id, written)
    }
    const { json } = await amnesiac.get('/orders')
    await forgetful.stop()
    const meanwhile = await amnesiac.create()
    await forgetful.start()
    await amnesiac.readable(meanwhile, 30_000)
    await vi.waitFor(async () => expect((await amnesiac.get('/orders')).json.data.slice(1)).toEqual(json.data), {
      timeout: 30_000,
    })
    expect(await amnesiac.deadLetters()).toEqual([])
  })
})
