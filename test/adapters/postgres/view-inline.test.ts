import { createRegistry, type InlineRows, type OpenStore, systemRuntime, type Unit, type ViewShape } from 'obverse'
import { type PostgresOptions, postgres } from 'obverse/postgres'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../processes.ts'
import { fresh } from '../../servers.ts'
import { fact, Happened, unit } from '../sqlite/store.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')
const ENTRY = { name: 'test' }

const opened: OpenStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})
async function open(url: string, options: PostgresOptions = {}): Promise<OpenStore> {
  const environment = { runtime: systemRuntime, registry: createRegistry([Happened]), relayed: false }
  const store = await postgres(url, options).open(environment)
  opened.push(store)
  await store.schema.migrate([])
  return store
}

const shape: ViewShape = { name: 'orders', key: 'id', lookups: [] }

/** Writes each event into the generation that is served. */
const follow: NonNullable<Unit['project']> = async (events, rows: InlineRows) => {
  const generation = (await rows.serving?.('orders')) ?? 0
  const table = rows.table('orders', generation)
  for (const { key, seq } of events) {
    await table.load([key])
    expect(await table.save([{ id: key, key, mark: seq, data: { generation } }])).toEqual([])
  }
}

describe.skipIf(server.missing)('a view that is filled by the commit', () => {
  it('is not switched under a commit that fills it; commits after the switch fill the next one', async () => {
    const url = await newSchema(server.url)
    const [one, two] = [await open(url), await open(url)]
    const first = await one.views.open(shape, 1)
    const second = await two.views.open(shape, 2)
    let switched: Promise<boolean> | undefined
    let done = false
    const project: Unit['project'] = async (events, rows) => {
      await rows.serving?.('orders')
      switched = two.checkpoints.setGeneration('orders', { serving: 1 }, { serving: 2, previous: 1 })
      switched.then(() => {
        done = true
      })
      await until('the switch to wait', async () => {
        const waiting = await query(
          server.url,
          "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        return waiting.length > 0
      })
      await follow(events, rows)
      expect(done).toBe(false)
    }
    await one.transactions.commit(ENTRY, unit([fact('a')], { project }))
    expect(await switched).toBe(true)
    await one.transactions.commit(ENTRY, unit([fact('b')], { project: follow }))
    expect([await first.get('a'), await first.get('b')]).toEqual([{ generation: 1 }, undefined])
    expect([await second.get('a'), await second.get('b')]).toEqual([undefined, { generation: 2 }])
  })

  for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
    it(`follows a switch that came after the snapshot of its transaction (${isolation})`, async () => {
      const url = await newSchema(server.url)
      const [one, two] = [await open(url, { isolation }), await open(url)]
      await one.views.open(shape, 1)
      const second = await two.views.open(shape, 2)
      let tries = 0
      await one.transactions.transact(ENTRY, async (tx) => {
        tries += 1
        await tx.connection().execute('SELECT count(*) FROM obverse_generation', [])
        await two.checkpoints.setGeneration('orders', { serving: 1 }, { serving: 2 })
        return unit([fact('a')], { project: follow })
      })
      expect([await second.get('a'), tries]).toEqual([{ generation: 2 }, 1])
    })
  }

  it('is filled under many switches: each commit is where it was served, and none is lost', async () => {
    const url = await newSchema(server.url)
    const [one, two] = [await open(url), await open(url)]
    const tables = [await one.views.open(shape, 1), await one.views.open(shape, 2)]
    let writing = true
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      let count = 0
      for (; writing; count += 1) {
        await one.transactions.commit(ENTRY, unit([fact(`w${writer}-${count}`)], { project: follow }))
      }
      return count
    })
    let serving = 1
    for (let n = 0; n < 20; n += 1) {
      expect(await two.checkpoints.setGeneration('orders', { serving }, { serving: 3 - serving })).toBe(true)
      serving = 3 - serving
    }
    writing = false
    const written = (await Promise.all(writers)).reduce((all, count) => all + count)
    const counts = await Promise.all(tables.map((table) => table.count()))
    expect(counts.reduce((all, count) => all + count)).toBe(written)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  }, 30_000)

  it('goes on when a newer version adds a look-up to its table', async () => {
    const url = await newSchema(server.url)
    const [one, two] = [await open(url), await open(url)]
    await one.views.open(shape, 1)
    await one.transactions.commit(ENTRY, unit([fact('a')], { project: follow }))
    const lookup = { by: ['generation'], descending: false }
    const newer = await two.views.open({ ...shape, lookups: [lookup] }, 1)
    await one.transactions.commit(ENTRY, unit([fact('b')], { project: follow }))
    const found = await newer.find({ lookup, equals: [1], limit: 10 })
    expect(found.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('is saved beside others who lock its rows the other way round', async () => {
    const url = await newSchema(server.url)
    const [one, two] = [await open(url), await open(url)]
    const table = await two.views.open(shape, 1)
    await one.views.open(shape, 1)
    const row = (id: string, mark: number) => ({ id, key: null, mark, data: { mark } })
    for (let mark = 1; mark < 10; mark += 3) {
      const inOrder =
        (own: number, ids: readonly string[]): NonNullable<Unit['project']> =>
        async (_events, rows) => {
          for (const id of ids) await rows.table('orders', 1).save([row(id, own)])
        }
      await Promise.all([
        one.transactions.commit(ENTRY, unit([fact(`k${mark}`)], { project: inOrder(mark, ['a', 'b']) })),
        two.transactions.commit(ENTRY, unit([fact(`l${mark}`)], { project: inOrder(mark + 1, ['b', 'a']) })),
        table.save([row('b', mark + 2), row('a', mark + 2)]),
      ])
    }
    expect((await table.load(['a', 'b'])).map(({ mark }) => mark)).toEqual([9, 9])
  }, 30_000)

  it('is named when it was not opened', async () => {
    const store = await open(await newSchema(server.url))
    const commit = () => store.transactions.commit(ENTRY, unit([fact('a')], { project: follow }))
    await expect(commit()).rejects.toThrow(
      /Generation 1 of the view orders is filled inside a transaction but was not opened/,
    )
    expect((await store.events.load('a')).version).toBe(0)
  })
})
