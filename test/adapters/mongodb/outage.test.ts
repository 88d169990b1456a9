import { MongoClient as Client, type MongoClient } from 'mongodb'
import { answer, command, createApp, event, handle, projection, query, systemRuntime, view } from 'obverse'
import { memory } from 'obverse/memory'
import { mongodb } from 'obverse/mongodb'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { ownServer } from '../../servers.ts'

const Added = event('things.added', z.object({ id: z.string(), color: z.string() }), { key: (e) => e.id })
const Add = command('things.add', z.object({ id: z.string(), color: z.string() }))
const add = handle(Add, async (c, ctx) => ctx.publish(Added(c)))
const things = view('things', { row: z.object({ id: z.string(), color: z.string() }), key: 'id', index: ['color'] })
const fill = projection('things', things).on(Added, (e, rows) => rows.put(e))
const ByColor = query('things.by-color', z.object({ color: z.string() }), z.array(z.string()))
const byColor = answer(ByColor, async ({ color }, ctx) =>
  (await ctx.view(things).find({ where: { color } })).rows.map(({ id }) => id),
)

const app = (url: string) =>
  createApp({
    handlers: [add, byColor],
    projections: [fill],
    store: memory(),
    views: { things: mongodb(url, { database: 'outage', timeout: 1_000 }) },
  })

const unreachable = { code: 'STORE_UNREACHABLE', message: expect.stringMatching(/^MongoDB 127\.0\.0\.1:\d+\/outage /) }

async function eventually<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  const until = Date.now() + 15_000
  for (;;) {
    const seen = await look().catch((error: unknown) => error)
    try {
      expect(seen).toEqual(wanted)
      return
    } catch (error) {
      if (Date.now() > until) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('MongoDB down', async () => {
  const mongo = await ownServer('mongodb')
  const open = async () => {
    const store = await mongodb(mongo.url, { database: 'outage', timeout: 1_000 })({ runtime: systemRuntime })
    onTestFinished(() => store.close?.())
    return store
  }
  beforeEach(() => mongo.missing ?? mongo.start())
  const shape = { name: 'rows', key: 'id', lookups: [{ by: ['n'], descending: false }] }

  it.skipIf(mongo.missing)('does not keep an application from starting, nor from taking commands', async () => {
    await mongo.kill9()
    await using one = app(mongo.url)
    await one.start()
    const { token } = await one.send(Add({ id: 'a', color: 'red' }))
    expect(await one.operate.health()).toContainEqual({
      name: 'views things',
      ok: false,
      detail: expect.stringContaining('does not answer'),
    })
    await expect(one.ask(ByColor({ color: 'red' }))).rejects.toMatchObject(unreachable)
    await mongo.start()
    await eventually(() => one.ask(ByColor({ color: 'red' }), { after: token }), ['a'])
    expect((await one.operate.health()).every(({ ok }) => ok)).toBe(true)
  })

  it.skipIf(mongo.missing)('is an outage within the timeout, everywhere, and heals by itself', async () => {
    const store = await open()
    const table = await store.open(shape, 1)
    await table.save([{ id: 'a', key: 'k', mark: 1, data: { id: 'a', n: 1 } }])
    await mongo.kill9()
    const question = { lookup: { by: ['n'], descending: false }, equals: [1], limit: 1 }
    const uses = {
      open: () => store.open({ ...shape, name: 'others' }, 1),
      drop: () => store.drop(shape, 7),
      load: () => table.load(['a']),
      save: () => table.save([{ id: 'b', key: 'k', mark: 1, data: { id: 'b', n: 1 } }]),
      get: () => table.get('a'),
      find: () => table.find(question),
      count: () => table.count(),
      checkpoint: () => store.checkpoints?.get('p'),
      advance: () => store.checkpoints?.advance('p', 0, 1),
      generation: () => store.checkpoints?.generation('v'),
    }
    const began = performance.now()
    await Promise.all(Object.entries(uses).map(([name, use]) => expect(use(), name).rejects.toMatchObject(unreachable)))
    expect(performance.now() - began).toBeLessThan(6_000)
    await mongo.start()
    await uses.save()
    expect(await table.find({ ...question, limit: 5 })).toHaveLength(2)
    expect(await store.checkpoints?.advance('p', 0, 1)).toBe(true)
  })

  it.skipIf(mongo.missing)('frozen, it is an outage too, and goes on when it thaws', async () => {
    const store = await open()
    const table = await store.open(shape, 1)
    await mongo.pause()
    const save = () => table.save([{ id: 'frozen', key: 'k', mark: 1, data: { id: 'frozen', n: 2 } }])
    await expect(save()).rejects.toMatchObject(unreachable)
    await mongo.resume()
    // the first may have been written after all: then the second is refused, and there it is
    await eventually(async () => (await save()).length < 2, true)
    expect(await table.get('frozen')).toEqual({ id: 'frozen', n: 2 })
  })

  it.skipIf(mongo.missing)('killed under load, it has what it acknowledged, and no row goes back', async () => {
    const ids = Array.from({ length: 10 }, (_, n) => `killed-${n}`)
    const acknowledged = new Map<string, number>()
    let ended = false
    let failures = 0
    const writers = [0, 1, 2].map(async (writer) => {
      const table = await (await open()).open(shape, 1)
      for (let mark = 1 + writer; !ended; mark += 3) {
        const rows = ids.map((id) => ({ id, key: 'k', mark, data: { id, n: mark } }))
        // whatever a refused row met is there as well, and higher
        const saved = await table.save(rows).catch(() => {
          failures += 1
        })
        if (saved) for (const id of ids) acknowledged.set(id, Math.max(mark, acknowledged.get(id) ?? 0))
      }
    })
    for (let kills = 0; kills < 3; kills += 1) {
      const before = acknowledged.get('killed-0') ?? 0
      await eventually(async () => (acknowledged.get('killed-0') ?? 0) > before + 10, true)
      await mongo.kill9()
      await mongo.start()
    }
    ended = true
    await Promise.all(writers)
    const rows = await (await (await open()).open(shape, 1)).load(ids)
    expect(failures).toBeGreaterThan(0)
    for (const { id, mark, data } of rows) {
      expect(mark).toBeGreaterThanOrEqual(acknowledged.get(id) ?? 0)
      expect(data?.n).toBe(mark)
    }
    expect(rows).toHaveLength(ids.length)
  })

  it.skipIf(mongo.missing)('closes while it is down, and says so to what comes after', async () => {
    const store = await open()
    const table = await store.open(shape, 1)
    await mongo.stop()
    const began = performance.now()
    await store.close?.()
    expect(performance.now() - began).toBeLessThan(3_000)
    await expect(table.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })
})

describe('MongoDB that comes back empty', async () => {
  const mongo = await ownServer('mongodb-memory')
  it.skipIf(mongo.missing)('is filled from the log, indexes and all, as soon as something is written', async () => {
    await using one = app(mongo.url)
    await one.start()
    for (const id of ['a', 'b', 'c']) await one.send(Add({ id, color: 'red' }))
    await eventually(() => one.ask(ByColor({ color: 'red' })), ['a', 'b', 'c'])
    await mongo.kill9()
    await mongo.start()
    await one.send(Add({ id: 'd', color: 'red' }))
    await eventually(() => one.ask(ByColor({ color: 'red' })), ['a', 'b', 'c', 'd'])
    const client: MongoClient = new Client(mongo.url)
    const indexes = await client.db('outage').collection('things').listIndexes().toArray()
    await client.close()
    expect(indexes).toHaveLength(2)
  })
})
