import type { Document } from 'mongodb'
import { type FoundRow, type Lookup, type Scalar, type StoredRow, systemRuntime, type ViewTable } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { describe, expect, it } from 'vitest'
import { server } from '../../servers.ts'
import { databasesOn } from './databases.ts'
import { refusingIndex } from './failing.ts'

const shared = await server('mongodb')
const databases = databasesOn(shared)

async function opened(lookups: readonly Lookup[], db = databases.next()) {
  const store = await mongodb(db)({ runtime: systemRuntime })
  const table = await store.open({ name: 'things', key: 'id', lookups }, 1)
  return { db, store, table, collection: db.collection<Document>('things') }
}

const row = (id: string, fields: Record<string, unknown>, mark = 1): StoredRow => ({
  id,
  key: id,
  mark,
  data: { id, ...fields },
})
const by = (...fields: string[]): Lookup => ({ by: fields, descending: false })

async function all(table: ViewTable, lookup: Lookup, equals: readonly Scalar[], limit: number): Promise<FoundRow[]> {
  const found: FoundRow[] = []
  for (;;) {
    const last = found.at(-1)
    const page = await table.find({ lookup, equals, limit, ...(last && { after: { order: last.order, id: last.id } }) })
    if (page.length === 0) return found
    found.push(...page)
  }
}

const idsOf = async (table: ViewTable, lookup: Lookup, ...equals: Scalar[]) =>
  (await all(table, lookup, equals, 10)).map(({ id }) => id)

describe.skipIf(shared.missing)('pages of a field with values of every type', () => {
  const values = [null, null, {}, [1], false, true, -1e308, -5, 0, 0.5, 3, 3, '', 'a', 'b', '\uffee', '😀']
  it.each([
    [false, 1],
    [false, 3],
    [true, 1],
    [true, 2],
    [true, 50],
  ])('descending %s, of %i, hold every row once, in order', async (descending, limit) => {
    const lookup: Lookup = { by: ['group'], order: 'n', descending }
    const { table } = await opened([lookup])
    const rows = values.map((n, place) => row(`r${String(place).padStart(2, '0')}`, { n, group: 'g' }))
    await table.save([...rows.toReversed(), row('other', { n: 1, group: 'h' })])
    const ids = rows.map(({ id }) => id)
    const found = await all(table, lookup, ['g'], limit)
    expect(found.map(({ id }) => id)).toEqual(descending ? ids.toReversed() : ids)
    expect(await table.size?.(lookup, ['g'])).toBe(values.length)
    expect(await table.count()).toBe(values.length + 1)
  })
})

describe.skipIf(shared.missing)('a look-up', () => {
  it('tells lists and objects from what is in them', async () => {
    const { table } = await opened([by('tag')])
    const values = { list: ['x'], text: 'x', object: { x: 1 }, none: null, date: new Date(0) }
    await table.save(Object.entries(values).map(([id, tag]) => row(id, { tag })))
    expect(await idsOf(table, by('tag'), 'x')).toEqual(['text'])
    expect(await idsOf(table, by('tag'), null)).toEqual(['list', 'none', 'object'])
    expect(await idsOf(table, by('tag'), '1970-01-01T00:00:00.000Z')).toEqual(['date'])
  })

  it('may ask for fields of any name', async () => {
    const names = ['a.b', '$set', '', '_id', '__proto__', '_bsontype', '0', 'x\0', 'half\ud800', '%', '%0025', 'by']
    const { table } = await opened(names.map((name) => by(name)))
    const rows = names.map((name, at): StoredRow => {
      const data = Object.defineProperty({ id: `r${at}` }, name, { value: 'here', enumerable: true })
      return { id: `r${at}`, key: 'k', mark: 1, data }
    })
    await table.save(rows)
    for (const [at, name] of names.entries()) expect(await idsOf(table, by(name), 'here'), name).toEqual([`r${at}`])
  })

  it('that is ordered by what it asks for is ordered by id', async () => {
    const lookup: Lookup = { by: ['n'], order: 'n', descending: true }
    const { table } = await opened([lookup])
    await table.save(['a', 'b', 'c'].map((id) => row(id, { n: id === 'b' ? 2 : 1 })))
    expect((await all(table, lookup, [1], 1)).map(({ id }) => id)).toEqual(['c', 'a'])
  })

  it('that was not declared is refused by name', async () => {
    const { table } = await opened([by('n')])
    const question = { lookup: by('m'), equals: [1], limit: 1 }
    expect(() => table.find(question)).toThrow(expect.objectContaining({ code: 'LOOKUP_UNDECLARED' }))
  })

  it('has an index, whichever way it goes', async () => {
    const lookups: Lookup[] = [by('a'), by(), { by: ['a'], order: 'n', descending: false }]
    const { collection } = await opened([...lookups, ...lookups.map((lookup) => ({ ...lookup, descending: true }))])
    const indexes = (await collection.listIndexes().toArray()).sort((a, b) => (a.name < b.name ? 1 : -1))
    expect(indexes.map(({ key }) => Object.keys(key))).toEqual([
      ['_obverse.by.a', '_obverse.by.n', '_id'],
      ['_obverse.by.a', '_id'],
      ['_id'],
    ])
    expect(indexes[1]?.partialFilterExpression).toEqual({ '_obverse.live': true })
  })
})

describe.skipIf(shared.missing)('an index that somebody made otherwise', () => {
  it.each([85, 86])(
    'does not keep the view from being used, nor other indexes from being made; code %i',
    async (code) => {
      const made = databases.next()
      const { table } = await opened([by('a'), by('b')], refusingIndex(made, '_obverse.by.a_1__id_1', code))
      await table.save([row('r', { a: 1, b: 2 })])
      expect(await idsOf(table, by('a'), 1)).toEqual(['r'])
      const indexes = await made.collection('things').listIndexes().toArray()
      expect(indexes.map(({ name }) => name).sort()).toEqual(['_id_', '_obverse.by.b_1__id_1'])
    },
  )

  it('is an outage when it fails for another reason', async () => {
    const failing = refusingIndex(databases.next(), '_obverse.by.a_1__id_1', 13)
    await expect(opened([by('a')], failing)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('the role readWrite'),
    })
  })
})

describe.skipIf(shared.missing)('a look-up that a release adds', () => {
  it('finds the rows that were there before, by the types they have in JSON', async () => {
    const { db, table: before, collection } = await opened([])
    const values = [true, false, 1, 0, '1', 'true', null, { a: 1 }, '😀']
    await before.save(values.map((flag, n) => row(`r${n}`, { 'a.b': flag })))
    await before.save([row('none', {}), { id: 'gone', key: 'k', mark: 1, data: null }])
    const { table } = await opened([by('a.b')], db)
    await table.save([row('new', { 'a.b': true })])
    expect(await idsOf(table, by('a.b'), true)).toEqual(['new', 'r0'])
    expect(await idsOf(table, by('a.b'), false)).toEqual(['r1'])
    expect(await idsOf(table, by('a.b'), 1)).toEqual(['r2'])
    expect(await idsOf(table, by('a.b'), '1')).toEqual(['r4'])
    expect(await idsOf(table, by('a.b'), '😀')).toEqual(['r8'])
    expect(await idsOf(table, by('a.b'), null)).toEqual(['none', 'r6', 'r7'])
    expect(await collection.findOne({ _id: 'gone' as never })).toEqual({
      _id: 'gone',
      _obverse: { key: 'k', mark: 1, live: false },
    })
  })

  it('may be added by several processes at once, over more rows than a page', async () => {
    const { db, table: before } = await opened([])
    const rows = Array.from({ length: 511 }, (_, n) => row(`r${n}`, { n: n % 2 }))
    await before.load(rows.map(({ id }) => id))
    await before.save(rows)
    const tables = await Promise.all([1, 2].map(() => opened([by('n')], db)))
    for (const { table } of tables) expect(await table.size?.(by('n'), [1])).toBe(255)
  })
})
