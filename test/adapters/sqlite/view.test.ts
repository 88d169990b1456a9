import type { FoundRow, Lookup, Scalar, ViewTable } from 'obverse'
import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../processes.ts'
import { fact, openStore, unit } from './store.ts'

const folder = temporaryFolder('views')
afterAll(folder.remove)
const at = (name: string) => `${folder.path}/${name}`

const row = (id: string, fields: Record<string, unknown>) => ({ id, key: id, mark: 1, data: { id, ...fields } })

async function all(table: ViewTable, lookup: Lookup, equals: readonly Scalar[], limit: number): Promise<FoundRow[]> {
  const found: FoundRow[] = []
  for (;;) {
    const last = found.at(-1)
    const page = await table.find({ lookup, equals, limit, ...(last && { after: { order: last.order, id: last.id } }) })
    if (page.length === 0) return found
    found.push(...page)
  }
}

describe('a look-up that a release adds', () => {
  it('finds the rows that were there before, by the types they have in JSON', async () => {
    const store = await openStore(at('added.db'))
    const before = await store.views.open({ name: 'things', key: 'id', lookups: [] }, 1)
    const values = [true, false, 1, 0, '1', 'true', null, { a: 1 }]
    await before.save(values.map((flag, n) => row(`r${n}`, { 'it\'s "odd"': flag })))
    await before.save([row('none', {})])
    const lookup: Lookup = { by: ['it\'s "odd"'], descending: false }
    const after = await store.views.open({ name: 'things', key: 'id', lookups: [lookup] }, 1)
    await after.save([row('new', { 'it\'s "odd"': true })])
    const ids = async (value: Scalar) => (await all(after, lookup, [value], 10)).map(({ id }) => id)
    expect(await ids(true)).toEqual(['new', 'r0'])
    expect(await ids(false)).toEqual(['r1'])
    expect(await ids(1)).toEqual(['r2'])
    expect(await ids(0)).toEqual(['r3'])
    expect(await ids('1')).toEqual(['r4'])
    expect(await ids(null)).toEqual(['none', 'r6', 'r7'])
    await store.close()
  })
})

describe('pages', () => {
  const values = [null, null, null, false, true, -5, 0, 0.5, 3, 3, '', 'a', 'b', '\u{1F600}']
  for (const descending of [false, true]) {
    for (const limit of [1, 2, 3, 5]) {
      it(`of ${limit}, ${descending ? 'descending' : 'ascending'}, hold every row once, in order`, async () => {
        const store = await openStore(at(`pages-${descending}-${limit}.db`))
        const lookup: Lookup = { by: ['group'], order: 'n', descending }
        const table = await store.views.open({ name: 'things', key: 'id', lookups: [lookup] }, 1)
        const rows = values.map((n, place) => row(`r${String(place).padStart(2, '0')}`, { n, group: 'g' }))
        await table.save([...rows.toReversed(), row('other', { n: 1, group: 'h' })])
        const found = await all(table, lookup, ['g'], limit)
        const ids = rows.map(({ id }) => id)
        expect(found.map(({ id }) => id)).toEqual(descending ? ids.toReversed() : ids)
        await store.close()
      })
    }
  }

  it('says inside a transaction which generation is served, and what came before', async () => {
    const store = await openStore(`${folder.path}/inline.db`)
    let there: unknown
    await store.transactions.commit(
      { name: 'test' },
      unit([fact('k')], {
        project: (_, rows) => {
          there = [rows.serving?.('things'), rows.history?.after(0, 10, ['another'])]
        },
      }),
    )
    expect(there).toEqual([1, { events: [], scannedTo: 1 }])
    await store.close()
  })
})
