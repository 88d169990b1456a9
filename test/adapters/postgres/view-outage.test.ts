import { isObverseError, kindOf, systemRuntime, type ViewShape, type ViewStore } from 'obverse'
import { postgresViews } from 'obverse/postgres'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../processes.ts'
import { fresh, ownServer, server } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const postgres = await fresh('postgres')
const { missing } = await server('postgres')

const opened: ViewStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close?.()
})
async function open(url: string, options: Parameters<typeof postgresViews>[1] = {}): Promise<ViewStore> {
  const store = await postgresViews(url, options)({ runtime: systemRuntime })
  opened.push(store)
  return store
}

const shape: ViewShape = { name: 'orders', key: 'id', lookups: [{ by: ['status'], descending: false }] }
const row = (id: string, mark: number) => ({ id, key: id, mark, data: { id, status: 'new' } })
const outage = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error !== undefined && kindOf(error) === 'outage'
}

describe.skipIf(missing)('views whose server is away', () => {
  it('are opened all the same; their first use is an outage, and the first after it works', async () => {
    const own = await ownServer('postgres')
    await own.stop()
    const store = await open(own.url, { patience: 2_000 })
    expect(await outage(store.open(shape, 1))).toBe(true)
    expect(await outage(store.checkpoints?.get('p') ?? Promise.resolve())).toBe(true)
    expect(await store.health?.()).toMatchObject({ ok: false, detail: expect.stringContaining(new URL(own.url).host) })
    await own.start()
    const table = await store.open(shape, 1)
    expect(await table.save([row('a', 1)])).toEqual([])
    expect(await store.checkpoints?.advance('p', 0, 7)).toBe(true)
    expect(await store.health?.()).toMatchObject({ ok: true })
  }, 30_000)

  it('keep what they acknowledged when it is killed, and go on when it is back', async () => {
    const own = await ownServer('postgres')
    const store = await open(own.url, { patience: 2_000 })
    const table = await store.open(shape, 1)
    const acknowledged = new Map<string, number>()
    let [saving, outages] = [true, 0]
    const savers = Array.from({ length: 4 }, async (_, saver) => {
      for (let mark = 1; saving; mark += 1) {
        const rows = Array.from({ length: 30 + saver * 40 }, (_, n) => row(`s${saver}-${n}`, mark))
        try {
          const refused = new Set(await table.save(rows))
          // refused: an earlier attempt has saved it, and its answer was lost
          for (const { id } of rows) if (!refused.has(id)) acknowledged.set(id, mark)
        } catch (error) {
          if (kindOf(error) !== 'outage') throw error
          outages += 1
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    })
    for (let kill = 0; kill < 3; kill += 1) {
      const before = Math.max(...acknowledged.values(), 0)
      await until('saves', () => Math.max(...acknowledged.values(), 0) > before + 3)
      await own.kill9()
      await own.start()
    }
    saving = false
    await Promise.all(savers)
    expect(outages).toBeGreaterThan(0)
    const rows = await table.load([...acknowledged.keys()])
    expect(rows).toHaveLength(acknowledged.size)
    for (const { id, mark } of rows) expect(mark).toBeGreaterThanOrEqual(acknowledged.get(id) ?? 0)
  }, 60_000)

  it('give up a server that is frozen, and find it again', async () => {
    const own = await ownServer('postgres')
    const store = await open(own.url, { patience: 1_000, answerTimeout: 500 })
    const table = await store.open(shape, 1)
    await table.save([row('a', 1)])
    await own.pause()
    const all = [table.get('a'), table.save([row('a', 2)]), table.load(Array.from({ length: 100 }, (_, n) => `r${n}`))]
    for (const each of all) expect(await outage(each)).toBe(true)
    expect(await store.health?.()).toMatchObject({ ok: false })
    await own.resume()
    await until('an answer', () => table.get('a').catch(() => undefined))
    const refused = await table.save([row('a', 2)])
    expect([[], ['a']]).toContainEqual(refused) // the one that was given up may have been done
    expect(await table.load(['a'])).toMatchObject([{ mark: 2 }])
  }, 30_000)
})

describe.skipIf(postgres.missing)('views whose database comes back empty', () => {
  it('say so by their checkpoint, and are made again', async () => {
    const url = await newSchema(postgres.url)
    const store = await open(url)
    const table = await store.open(shape, 1)
    await table.save([row('a', 5)])
    expect(await store.checkpoints?.advance('orders@1', 0, 5)).toBe(true)
    const schema = /search_path=(\w+)/.exec(decodeURIComponent(url))?.[1]
    await query(postgres.url, `DROP SCHEMA ${schema} CASCADE; CREATE SCHEMA ${schema}`)
    const all = [store.checkpoints?.get('orders@1'), table.get('a'), table.save([row('b', 1)]), table.count()]
    const [position, gone, refused] = await Promise.all(all)
    expect([position, gone, refused]).toEqual([0, undefined, []])
    expect(await store.checkpoints?.advance('orders@1', 0, 9)).toBe(true)
    expect(await table.save([row('a', 1)])).toEqual([])
  })

  it('are closed for good by the last who has them', async () => {
    const reads = postgresViews(await newSchema(postgres.url))
    const [one, two] = [await reads({ runtime: systemRuntime }), await reads({ runtime: systemRuntime })]
    const table = await one.open(shape, 1)
    await Promise.all([one.close?.(), one.close?.()])
    expect(await table.save([row('a', 1)])).toEqual([])
    await two.close?.()
    const error = await table.get('a').catch((thrown: unknown) => thrown)
    expect(isObverseError(error, 'STORE_CLOSED')).toBe(true)
    const again = await reads({ runtime: systemRuntime })
    expect(await (await again.open(shape, 1)).get('a')).toEqual({ id: 'a', status: 'new' })
    await again.close?.()
  })

  it('leave the pool of an application open', async () => {
    const pool = new pg.Pool({ connectionString: await newSchema(postgres.url), max: 3 })
    const store = await postgresViews(pool)({ runtime: systemRuntime })
    const table = await store.open(shape, 1)
    const all = Array.from({ length: 300 }, (_, n) => row(`r${n}`, 1))
    await Promise.all(Array.from({ length: 6 }, (_, n) => table.save(all.slice(n * 50, n * 50 + 150))))
    const found = await table.find({ lookup: { by: ['status'], descending: false }, equals: ['new'], limit: 1_000 })
    expect(found).toHaveLength(300)
    await store.close?.()
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await pool.end()
    const small = new pg.Pool({ max: 2 })
    expect(() => postgresViews(small)).toThrow(/the pool has 2 connections/)
  })

  it('are refused options that nobody reads', () => {
    expect(() => postgresViews('postgres://localhost/x', { lease: 5 } as never)).toThrow(/no option "lease"/)
    expect(() => postgresViews('postgres://localhost/x', { connections: 0 })).toThrow(/connections is 0/)
  })
})
