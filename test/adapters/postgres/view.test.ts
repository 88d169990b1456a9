import type { Lookup, StoredRow, ViewShape, ViewStore, ViewTable } from 'obverse'
import { afterEach, describe, expect, it } from 'vitest'
import { fresh } from '../../servers.ts'
import { newSchema, openViews, query } from './database.ts'

const postgres = await fresh('postgres')

const opened: ViewStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close?.()
})

/** Another process, as far as PostgreSQL can tell. */
async function open(url: string): Promise<ViewStore> {
  const store = await openViews(url)
  opened.push(store)
  return store
}

const byStatus: Lookup = { by: ['status'], descending: false }
const things = (lookups: readonly Lookup[] = [], more: Partial<ViewShape> = {}): ViewShape => ({
  name: 'things',
  key: 'id',
  lookups,
  ...more,
})
const row = (
  id: string,
  mark: number,
  data: Record<string, unknown> | null = {},
  key: string | null = 'k',
): StoredRow => ({
  id,
  key,
  mark,
  data: data && { id, ...data },
})
const ids = (found: readonly { readonly id: string }[]) => found.map(({ id }) => id)
const find = async (table: ViewTable, lookup: Lookup, ...equals: readonly (string | number | boolean | null)[]) =>
  ids(await table.find({ lookup, equals, limit: 1_000 }))

describe.skipIf(postgres.missing)('rows that many save at once', () => {
  it('end as the highest mark says, and each save is accepted or refused, not both', async () => {
    const url = await newSchema(postgres.url)
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(url)))
    const tables = await Promise.all(stores.map((store) => store.open(things([byStatus]), 1)))
    const [savers, rounds, rows] = [16, 12, 60]
    /** For each row, the marks that were accepted. */
    const accepted = Array.from({ length: rows }, () => [] as number[])
    await Promise.all(
      Array.from({ length: savers }, async (_, saver) => {
        const table = tables[saver % tables.length] as ViewTable
        for (let round = 0; round < rounds; round += 1) {
          const mark = 1 + ((saver * 7 + round * 5) % (savers * rounds))
          // each in an order of its own
          const batch = Array.from({ length: rows }, (_, n) => row(`r${(n * 7 + saver * 13) % rows}`, mark, { mark }))
          const refused = new Set(await table.save(batch))
          for (let n = 0; n < rows; n += 1) if (!refused.has(`r${n}`)) accepted[n]?.push(mark)
        }
      }),
    )
    const highest = Math.max(...accepted.flat())
    const loaded = await (tables[0] as ViewTable).load(Array.from({ length: rows }, (_, n) => `r${n}`))
    expect(loaded.map(({ mark, data }) => [mark, data?.mark])).toEqual(Array(rows).fill([highest, highest]))
    // a mark that was accepted twice would be a duplicate that was applied twice
    for (const marks of accepted) expect(new Set(marks).size).toBe(marks.length)
  }, 30_000)

  it('count each event once, whoever brings it', async () => {
    const url = await newSchema(postgres.url)
    const tables = await Promise.all([1, 2, 3].map(async () => (await open(url)).open(things(), 1)))
    let done = 0
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const table = tables[n % 3] as ViewTable
        for (let saved = 0; saved < 10; ) {
          const [known] = await table.load(['counter'])
          const count = ((known?.data?.n as number | undefined) ?? 0) + 1
          const refused = await table.save([row('counter', (known?.mark ?? 0) + 1, { n: count }, null)])
          if (refused.length === 0) saved += 1
        }
        done += 10
      }),
    )
    expect(done).toBe(120)
    expect(await tables[0]?.get('counter')).toEqual({ id: 'counter', n: 120 })
  })

  it('that come twice in one batch are saved in their order', async () => {
    const table = await (await open(await newSchema(postgres.url))).open(things([byStatus]), 1)
    const batch = [
      row('a', 2, { n: 2 }),
      row('b', 1),
      row('a', 1, { n: 1 }),
      row('a', 3, { n: 3 }),
      row('a', 4, {}, 'other'),
    ]
    expect(await table.save(batch)).toEqual(['a', 'a'])
    expect(await table.get('a')).toEqual({ id: 'a', n: 3 })
  })
})

describe.skipIf(postgres.missing)('a table', () => {
  it('is made once, by however many open it at once', async () => {
    const url = await newSchema(postgres.url)
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(url)))
    const shape = things([byStatus, { by: [], order: 'n', descending: true }], {
      search: { fields: ['name'], by: ['kind'] },
    })
    const tables = await Promise.all(
      stores.flatMap((store) => [store.open(shape, 1), store.open(shape, 2), store.open(shape, 1)]),
    )
    await Promise.all(tables.map((table, n) => table.save([row(`r${n}`, 1, { status: 'new' })])))
    const found = await find(tables[0] as ViewTable, byStatus, 'new')
    expect(found.length + (await find(tables[1] as ViewTable, byStatus, 'new')).length).toBe(15)
  })

  it('is made again when somebody has taken it away', async () => {
    const url = await newSchema(postgres.url)
    const [one, two] = [await open(url), await open(url)]
    const table = await one.open(things([byStatus]), 1)
    await table.save([row('a', 5, { status: 'new' })])
    await two.drop(things(), 1)
    expect(await Promise.all(Array.from({ length: 5 }, () => table.get('a')))).toEqual(Array(5).fill(undefined))
    await two.drop(things(), 1)
    expect(await table.save([row('a', 1, { status: 'old' })])).toEqual([])
    expect(await find(table, byStatus, 'old')).toEqual(['a'])
  })

  it('leaves its rows in their pages when nothing that is looked up changes', async () => {
    const url = await newSchema(postgres.url)
    const store = await open(url)
    const table = await store.open(things([byStatus], { search: { fields: ['name'], by: [] } }), 1)
    // few at once: the room of what a statement leaves behind is used by the next
    const save = async (mark: number) => {
      const rows = Array.from({ length: 100 }, (_, n) => row(`r${n}`, mark, { status: 'new', name: 'red', n: mark }))
      for (let from = 0; from < 100; from += 10) await table.save(rows.slice(from, from + 10))
    }
    for (const mark of [1, 2, 3]) await save(mark)
    await store.close?.() // then its sessions say what they did
    const updates = async () => {
      const [found] = await query<{ all: string; hot: string }>(
        url,
        'SELECT n_tup_upd AS all, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relid = \'"obverse_view_things_1"\'::regclass',
      )
      return found
    }
    await expect.poll(async () => Number((await updates())?.all), { timeout: 10_000 }).toBe(200)
    expect(Number((await updates())?.hot)).toBeGreaterThan(100)
  }, 15_000)
})

describe.skipIf(postgres.missing)('a look-up or search that a release adds', () => {
  const before = things()
  const after = things([byStatus, { by: ['it\'s "odd"\0'], order: 'n', descending: true }], {
    search: { fields: ['name', 'status'], by: ['kind'] },
  })
  const words = async (table: ViewTable, prefix: string, kind?: string) =>
    ids(
      (await table.search?.({
        words: [],
        prefix,
        by: kind ? ['kind'] : [],
        equals: kind ? [kind] : [],
        limit: 100,
      })) ?? [],
    )

  it('finds the rows that were there before', async () => {
    const url = await newSchema(postgres.url)
    const old = await (await open(url)).open(before, 1)
    const values = ['', true, false, 1, 0, '1', 'true', null, { a: 1 }, undefined]
    await old.save(
      values.map((value, n) => row(`r${n}`, 1, { 'it\'s "odd"\0': value, status: 'new', name: `n${n}`, n })),
    )
    await old.save([row('', 1, { status: 'new', kind: 'b' }), row('gone', 1, null), row('\u0001k', 1, null)])
    const now = await (await open(url)).open(after, 1)
    const [, odd] = after.lookups as [Lookup, Lookup]
    expect(await find(now, byStatus, 'new')).toEqual(['', 'r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9'])
    const of = await Promise.all(['', true, false, 1, 0, '1', 'true'].map((value) => find(now, odd, value)))
    expect(of).toEqual([['r0'], ['r1'], ['r2'], ['r3'], ['r4'], ['r5'], ['r6']])
    expect(await find(now, odd, null)).toEqual(['r9', 'r8', 'r7', ''])
    expect([await words(now, 'n1'), await words(now, 'new', 'b'), await words(now, 'r')]).toEqual([['r1'], [''], []])
  })

  it('finds the rows that the version before it saves afterwards', async () => {
    const url = await newSchema(postgres.url)
    const [oldStore, newStore] = [await open(url), await open(url)]
    const old = await oldStore.open(before, 1)
    await old.save([row('a', 1, { status: 'new', name: 'red' })])
    const now = await newStore.open(after, 1)
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        old.save([row('a', 2 + n, { status: 'old', name: 'blue' }), row(`b${n}`, 1, { status: 'old' })]),
      ),
    )
    expect(await find(now, byStatus, 'old')).toHaveLength(11)
    expect([await find(now, byStatus, 'new'), await words(now, 'red'), await words(now, 'blue')]).toEqual([
      [],
      [],
      ['a'],
    ])
    // and the version that knew nothing of them may come back
    const again = await (await open(url)).open(before, 1)
    await again.save([row('a', 99, { status: 'newest' })])
    expect(await find(now, byStatus, 'newest')).toEqual(['a'])
  })

  it('loses no row that is saved while earlier ones are filled in', async () => {
    const url = await newSchema(postgres.url)
    const old = await (await open(url)).open(before, 1)
    const all = Array.from({ length: 2_000 }, (_, n) => row(`r${n}`, 1, { status: 'first' }))
    await old.save(all)
    let [saving, mark] = [true, 1]
    const savers = [0, 1].map(async (saver) => {
      while (saving) {
        mark += 1
        const status = `s${mark % 3}`
        await old.save(all.filter((_, n) => n % 2 === saver).map(({ id }) => row(id, mark, { status })))
      }
    })
    const now = await (await open(url)).open(after, 1)
    saving = false
    await Promise.all(savers)
    const held = await now.load(ids(all))
    for (const status of ['first', 's0', 's1', 's2']) {
      const right = held.filter(({ data }) => data?.status === status).map(({ id }) => id)
      expect(await now.size?.(byStatus, [status])).toBe(right.length)
      expect(await find(now, byStatus, status)).toEqual(right.sort().slice(0, 1_000))
    }
  }, 30_000)

  it('is taken up where a process that was killed had left it', async () => {
    const url = await newSchema(postgres.url)
    const old = await (await open(url)).open(before, 1)
    await old.save([row('a', 1, { status: 'new', name: 'red' })])
    await (await open(url)).open(after, 1)
    // its columns are there, and its rows and indexes not yet
    const indexes = await query<{ name: string }>(
      url,
      "SELECT format('%I', indexname) AS name FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'obverse\\_by%'",
    )
    expect(indexes).toHaveLength(4)
    await query(url, indexes.map(({ name }) => `DROP INDEX ${name}`).join('; '))
    await query(url, 'UPDATE "obverse_view_things_1" SET "f_status" = \'\'')
    const now = await (await open(url)).open(after, 1)
    expect([await find(now, byStatus, 'new'), await words(now, 'red')]).toEqual([['a'], ['a']])
  })
})
