import fc from 'fast-check'
import {
  createRegistry,
  type Lookup,
  type StoredRow,
  systemRuntime,
  type ViewShape,
  type ViewTable,
  wordsOf,
} from 'obverse'
import { memory } from 'obverse/memory'
import { afterAll, describe, expect, it } from 'vitest'
import { fresh } from '../../servers.ts'
import { newSchema, openViews } from './database.ts'

const postgres = await fresh('postgres')
const views = postgres.missing === undefined ? await openViews(await newSchema(postgres.url)) : undefined
afterAll(() => views?.close?.())

const reference = await memory().open({ runtime: systemRuntime, registry: createRegistry([]), relayed: false })
let tables = 0

/** The same view twice: in PostgreSQL, and in memory, which says what is right. */
async function both(shape: Omit<ViewShape, 'name' | 'key'>): Promise<readonly [ViewTable, ViewTable]> {
  tables += 1
  const whole: ViewShape = { name: `exact${tables}`, key: 'id', ...shape }
  if (!views) throw new Error('no server')
  return [await views.open(whole, 1), await reference.views.open(whole, 1)]
}

const row = (id: string, data: Record<string, unknown> | null, mark = 1): StoredRow => ({ id, key: 'k', mark, data })
const sorted = (rows: readonly StoredRow[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** Everything UTF-16 has: NUL, controls, halves of surrogate pairs, both sides of the signs that stand for others. */
const sign = fc.oneof(
  fc.constantFrom(
    '\0',
    '\u0001',
    '\u0002',
    '\u0003',
    '\ue000',
    '\ud7ff',
    '\ud800',
    '\udfff',
    '\uffff',
    '🚀',
    '"',
    '\\',
    '',
    'a',
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
)
const text = fc.array(sign, { maxLength: 6 }).map((signs) => signs.join(''))
const scalar = fc.oneof(
  text.filter((each) => each.isWellFormed()),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)

function byCodePoint(a: string, b: string): number {
  const [left, right] = [a, b].map((each) => Array.from(each, (one) => one.codePointAt(0) as number))
  for (const [at, point] of (left as number[]).entries()) {
    const other = right?.[at]
    if (other === undefined) return 1
    if (point !== other) return point - other
  }
  return (left?.length ?? 0) - (right?.length ?? 0)
}

describe.skipIf(postgres.missing)('rows in PostgreSQL', () => {
  it('come back to the letter, whatever JSON holds', async () => {
    const [table] = await both({ lookups: [{ by: ['value'], descending: false }] })
    let mark = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(text, fc.jsonValue({ stringUnit: 'binary' })), { minLength: 1 }),
        async (all) => {
          mark += 1
          const rows = all.map((data, n) => row(`r${String(n).padStart(3, '0')}`, data, mark))
          expect(await table.save(rows)).toEqual([])
          const loaded = sorted(await table.load(rows.map(({ id }) => id)))
          // by their JSON: the order of fields counts as well, and -0 is 0 in JSON
          expect(loaded.map(({ data }) => JSON.stringify(data))).toEqual(rows.map(({ data }) => JSON.stringify(data)))
          expect(loaded.map(({ key, mark: at }) => [key, at])).toEqual(rows.map(() => ['k', mark]))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('keep ids and keys apart, and their order, whatever they are made of', async () => {
    const byId: Lookup = { by: [], descending: false }
    const [table, right] = await both({ lookups: [byId] })
    const known = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text, { minLength: 1, maxLength: 20 }), text, async (ids, key) => {
        const rows = ids.filter((id) => !known.has(id)).map((id) => ({ ...row(id, { id }), key }))
        for (const { id } of rows) known.add(id)
        expect(await table.save(rows)).toEqual(await right.save(rows))
        expect(sorted(await table.load(ids))).toEqual(sorted(await right.load(ids)))
        const found = await table.find({ lookup: byId, equals: [], limit: 1_000 })
        expect(found.map(({ id }) => id)).toEqual([...known].sort(byCodePoint).slice(0, 1_000))
      }),
      { numRuns: 40 },
    )
    expect(await table.count()).toBe(known.size)
  })

  it('hold ids of any length, that begin alike in any length', async () => {
    const [table] = await both({ lookups: [{ by: [], descending: false }] })
    const random = Array.from({ length: 4_000 }, (_, n) => String.fromCodePoint(0x4e00 + ((n * 7_919) % 20_000))).join(
      '',
    )
    const ids = ['', '1', '2', '\ud800', '\0\u0003'].map((end) => random + end)
    ids.push(random.slice(0, 363), random.slice(0, 334), random.slice(0, 333), 'x'.repeat(1_000), 'x'.repeat(1_001))
    const rows = ids.map((id, n) => row(id, { n }))
    expect(await table.save(rows)).toEqual([])
    expect(sorted(await table.load(ids))).toEqual(sorted(rows))
    expect(await table.save(rows)).toHaveLength(ids.length)
    for (const [n, id] of ids.entries()) expect(await table.get(id)).toEqual({ n })
    const found = []
    for (;;) {
      const last = found.at(-1)
      const after = last && { order: last.order, id: last.id }
      const page = await table.find({
        lookup: { by: [], descending: false },
        equals: [],
        limit: 3,
        ...(after && { after }),
      })
      if (page.length === 0) break
      found.push(...page)
    }
    expect(found.map(({ id }) => id).sort()).toEqual(ids.toSorted())
  })

  it('are looked up by texts of any length, in one order', async () => {
    const lookup: Lookup = { by: [], order: 'text', descending: true }
    const [table] = await both({ lookups: [lookup, { by: ['text', 'a', 'b', 'c', 'd', 'e'], descending: false }] })
    const long = Array.from({ length: 3_000 }, (_, n) => String.fromCharCode(33 + ((n * 7_919) % 90))).join('')
    const texts = [long, `${long}1`, `${long}2`, long.slice(0, 399), long.slice(0, 400), `z${long}`, '', 'a']
    const rows = texts.map((value, n) => row(`r${n}`, { text: value, a: long, b: long, c: long, d: long, e: n }))
    expect(await table.save(rows)).toEqual([])
    for (const [n, value] of texts.entries()) {
      const equals = [value, long, long, long, long, n]
      const found = await table.find({
        lookup: { by: ['text', 'a', 'b', 'c', 'd', 'e'], descending: false },
        equals,
        limit: 9,
      })
      expect(found.map(({ id }) => id)).toEqual([`r${n}`])
    }
    const all = await table.find({ lookup, equals: [], limit: 100 })
    for (const [at, { order, id }] of all.entries()) {
      const rest = await table.find({ lookup, equals: [], limit: 100, after: { order, id } })
      expect(rest).toEqual(all.slice(at + 1))
    }
    expect([all[0]?.id, all.at(-1)?.id]).toEqual(['r5', 'r6'])
  })

  it('are found and refused as they are in memory, whatever is saved', async () => {
    const lookups: Lookup[] = [
      { by: ['a'], descending: false },
      { by: [], order: 'b', descending: true },
      { by: ['a'], order: 'b', descending: false },
      { by: ['a', 'b'], order: 'a', descending: true },
    ]
    const values = fc.constantFrom(
      '',
      '1',
      1,
      -1,
      0.5,
      -0,
      1e300,
      -1e-300,
      true,
      false,
      null,
      undefined,
      'true',
      '\0',
      '😀',
      [1],
    )
    const some = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'é', '\u0001k'),
      key: fc.constantFrom('k', 'l', null),
      mark: fc.integer({ min: 1, max: 6 }),
      data: fc.option(fc.record({ a: values, b: values }), { freq: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(some, { maxLength: 8 }), { maxLength: 4 }), async (batches) => {
        const [table, right] = await both({ lookups })
        for (const rows of batches) {
          const clean = rows.map((each) => ({ ...each, data: JSON.parse(JSON.stringify(each.data)) }))
          expect((await table.save(clean)).toSorted()).toEqual((await right.save(clean)).toSorted())
        }
        const ids = ['a', 'b', 'c', 'd', 'é', '\u0001k']
        expect(sorted(await table.load(ids))).toEqual(sorted(await right.load(ids)))
        expect(await table.count()).toBe(await right.count())
        for (const lookup of lookups) {
          const equals = ['1', 1, true, null, -0].slice(0, lookup.by.length)
          for (const limit of [1, 100]) {
            const question = { lookup, equals, limit }
            const first = await table.find(question)
            expect(first).toEqual(await right.find(question))
            const last = first.at(-1)
            if (!last) continue
            const next = { ...question, after: { order: last.order, id: last.id } }
            expect(await table.find(next)).toEqual(await right.find(next))
          }
          expect(await table.size?.(lookup, equals)).toBe(await right.size?.(lookup, equals))
        }
      }),
      { numRuns: 25 },
    )
  }, 30_000)

  it('are compared as scalars are, by type and by value', async () => {
    const lookup: Lookup = { by: [], order: 'value', descending: false }
    const [table, right] = await both({ lookups: [lookup] })
    let mark = 0
    await fc.assert(
      fc.asyncProperty(fc.array(scalar, { minLength: 2, maxLength: 30 }), async (all) => {
        mark += 1
        const rows = Array.from({ length: 30 }, (_, n) => row(`r${n}`, n < all.length ? { value: all[n] } : null, mark))
        await table.save(rows)
        await right.save(rows)
        const question = { lookup, equals: [], limit: 100 }
        const ids = async (from: ViewTable) => (await from.find(question)).map(({ id }) => id)
        expect(await ids(table)).toEqual(await ids(right))
      }),
      { numRuns: 60 },
    )
  })

  it('are searched as they are in memory', async () => {
    const search = { fields: ['name', 'tags', 'text'], by: ['kind'] }
    const [table, right] = await both({ lookups: [], search })
    const words = fc.array(fc.constantFrom('red', 'reader', 'blue', 'Bläu', 'x', '北京', '7', "o'neill", '🚀'), {
      maxLength: 4,
    })
    const data = fc.record({
      name: words.map((all) => all.join(' ')),
      tags: words,
      text: words.map(String),
      kind: fc.nat(1),
    })
    let mark = 0
    await fc.assert(
      fc.asyncProperty(fc.array(data, { minLength: 1, maxLength: 12 }), words, async (all, asked) => {
        mark += 1
        const rows = Array.from({ length: 12 }, (_, n) => row(`r${n}`, all[n] ?? null, mark))
        await table.save(rows)
        await right.save(rows)
        const folded = [...wordsOf(asked), 're']
        for (const prefix of folded) {
          const question = { words: folded.slice(0, 2), prefix, by: ['kind'], equals: [1], limit: 100 }
          for (const each of [question, { ...question, by: [], equals: [], limit: 3, after: { order: 1, id: 'r4' } }]) {
            expect(await table.search?.(each)).toEqual(await right.search?.(each))
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})
