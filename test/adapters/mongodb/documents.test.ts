import type { Document } from 'mongodb'
import { type StoredRow, systemRuntime, type ViewShape } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { describe, expect, it } from 'vitest'
import { server } from '../../servers.ts'
import { databasesOn } from './databases.ts'

const shared = await server('mongodb')
const databases = databasesOn(shared)
const shape: ViewShape = { name: 'orders', key: 'id', lookups: [{ by: ['status'], descending: false }] }

async function opened(view: ViewShape = shape) {
  const db = databases.next()
  const store = await mongodb(db)({ runtime: systemRuntime })
  const table = await store.open(view, 1)
  const read = (id: unknown) => db.collection<Document>(view.name).findOne({ _id: id as never })
  return { db, store, table, read }
}

const row = (id: string, data: Record<string, unknown>): StoredRow => ({ id, key: id, mark: 1, data: { id, ...data } })

describe.skipIf(shared.missing)('a row is a document that people can read', () => {
  it('its fields are as they are, and what Obverse keeps beside them is in one field', async () => {
    const { table, read } = await opened()
    await table.save([row('o-1', { status: 'placed', lines: [{ sku: 'a', quantity: 2 }], total: 12.5 })])
    expect(await read('o-1')).toEqual({
      _id: 'o-1',
      id: 'o-1',
      status: 'placed',
      lines: [{ sku: 'a', quantity: 2 }],
      total: 12.5,
      _obverse: { key: 'o-1', mark: 1, live: true, by: { status: 'placed' } },
    })
  })

  it('a tombstone is a document without fields', async () => {
    const { table, read } = await opened()
    await table.save([row('o-1', { status: 'placed' })])
    await table.save([{ id: 'o-1', key: 'o-1', mark: 2, data: null }])
    expect(await read('o-1')).toEqual({ _id: 'o-1', _obverse: { key: 'o-1', mark: 2, live: false } })
  })
})

describe.skipIf(shared.missing)('what comes back is what JSON would give', () => {
  const own = (name: string, value: unknown) => Object.defineProperty({}, name, { value, enumerable: true }) as object
  const values: Record<string, Record<string, unknown>> = {
    'whole numbers of every size': {
      n: [0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 63],
    },
    'other numbers': { n: [0.1, -1.5, 1e21, 5e-324, Number.MAX_VALUE, 1e308] },
    'minus zero': { n: -0, deep: [{ n: -0 }] },
    'no numbers': { n: Number.NaN, list: [Number.POSITIVE_INFINITY] },
    'what is undefined': { gone: undefined, list: [undefined, 1], deep: { gone: undefined, is: 1 } },
    'a Date': { at: new Date(0), list: [new Date(1)] },
    'an object that says how it is written': { money: { toJSON: () => ({ amount: 1 }) } },
    'an instance of a class': { url: new URL('https://example.org/'), map: new Map([[1, 2]]) },
    'names with dots and dollars': { 'a.b': 1, $set: { x: 1 }, deep: { 'x.y': { $gt: 1 }, z: 2 } },
    'names that BSON knows': { _bsontype: 'ObjectId', deep: [{ _bsontype: 'Long', high: 1, low: 2 }], toBSON: 'x' },
    'a reference': { deep: { $ref: 'orders', $id: 'x' } },
    'names that JavaScript knows': { constructor: 'x', toString: 1, deep: own('__proto__', { x: 1 }), length: 3 },
    'the names of MongoDB and of ours': { _id: 'another', _obverse: { mark: 9 } },
    'names without letters': { '': 1, ' ': 2, 'a\0b': 3, '0': 4, deep: [{ '': 1 }] },
    'halves of surrogate pairs': { half: '\ud83d', 'name\udc00': 1, deep: ['\ud800x'], status: 'x\udfff' },
    'texts of all kinds': { text: 'ä🚀\0"\\\n\u2028', empty: '', status: '\uffee😀' },
    'lists in lists': { list: [[], [[]], [[1], { a: [] }]], empty: {} },
  }
  for (const [what, data] of Object.entries(values)) {
    it(what, async () => {
      const { table } = await opened()
      const given = Object.defineProperties({}, Object.getOwnPropertyDescriptors({ ...data, id: 'a' }))
      await table.save([{ id: 'a', key: 'k', mark: 1, data: given as Record<string, unknown> }])
      const got = await table.get('a')
      const json = (value: unknown) => JSON.parse(JSON.stringify(value))
      // as texts, so that names like `__proto__` and a minus before a zero are compared too
      expect(sorted(got)).toBe(sorted(json(given)))
      expect((await table.load(['a']))[0]).toMatchObject({ id: 'a', key: 'k', mark: 1 })
    })
  }

  it('a field called __proto__', async () => {
    const { table } = await opened()
    const data = JSON.parse('{"id":"a","__proto__":{"x":1},"deep":{"__proto__":2}}')
    await table.save([{ id: 'a', key: 'k', mark: 1, data }])
    expect(sorted(await table.get('a'))).toBe(sorted(data))
  })

  it('a row as deep as rows may be', async () => {
    const { table } = await opened()
    let deep: unknown = 'bottom'
    for (let level = 0; level < 120; level += 1) deep = level % 2 ? [deep] : { deep }
    await table.save([row('a', { deep })])
    expect(await table.get('a')).toEqual({ id: 'a', deep })
  })

  it('a view whose key is _id', async () => {
    const { table, read } = await opened({ name: 'orders', key: '_id', lookups: [] })
    const ids = ['a', '😀']
    await table.save(ids.map((_id) => ({ id: _id, key: 'k', mark: 1, data: { _id, n: 1 } })))
    for (const _id of ids) expect(await table.get(_id)).toEqual({ _id, n: 1 })
    expect(Object.keys((await read('a')) ?? {})).toEqual(['_id', 'n', '_obverse'])
  })

  it('ids and keys of any text, told apart', async () => {
    const { table } = await opened()
    const ids = [
      'a',
      'A',
      'a ',
      '\u0001a',
      'a\0',
      '😀',
      '\ud83d',
      '\ude00',
      '\ud7ff',
      '\ud7ff\u011b\u0700',
      '\ufffd',
      '$a',
      'a.b',
    ]
    await table.save(ids.map((id) => ({ id, key: `key of ${id}`, mark: 1, data: { id } })))
    const loaded = await table.load(ids)
    expect(new Map(loaded.map(({ id, key }) => [id, key]))).toEqual(new Map(ids.map((id) => [id, `key of ${id}`])))
    for (const id of ids) expect(await table.get(id)).toEqual({ id })
    expect(await table.save(ids.map((id) => ({ id, key: `key of ${id}`, mark: 2, data: null })))).toEqual([])
  })
})

describe.skipIf(shared.missing)('what cannot be kept is refused for good, by name', () => {
  it('a bigint', async () => {
    const { table } = await opened()
    const saved = table.save([row('a', { n: 1 }), row('b', { n: 10n })])
    await expect(saved).rejects.toMatchObject({ code: 'PERMANENT', message: expect.stringContaining('Row "b"') })
  })

  it.each([false, true])('a row larger than a document may be, inserted: %s', async (looked) => {
    const { table } = await opened()
    if (looked) await table.load(['a', 'b'])
    const saved = table.save([row('a', { n: 1 }), row('b', { text: 'x'.repeat(17_000_000) })])
    await expect(saved).rejects.toMatchObject({
      code: 'PERMANENT',
      message: expect.stringMatching(/Row "b" of .*orders has 1700\d{4} bytes/),
    })
    const large = 'ä'.repeat(7_000_000)
    expect(await table.save([row('c', { large }), row('d', { large })])).toEqual([])
    expect((await table.load(['c', 'd'])).map(({ data }) => data?.large === large)).toEqual([true, true])
  })

  it('another document in the collection is named', async () => {
    const { db, table } = await opened()
    await db.collection<Document>('orders').insertOne({ _id: 'mine' as never, status: 'placed' })
    const message = expect.stringMatching(/orders holds a document that is no row of a view: _id "mine"/)
    await expect(table.load(['mine'])).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', message })
    await expect(table.save([row('mine', {})])).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', message })
    expect(await table.get('mine')).toBeUndefined()
    expect(await table.count()).toBe(0)
  })
})

/** JSON with the names in order. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${sorted(inner)}`).join()}}`
}
