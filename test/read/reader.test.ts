import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { issueCursor, readCursor } from '../../src/read/cursor.ts'
import { createReader } from '../../src/read/reader.ts'
import { createWorld, type Thing, things } from './world.ts'

async function createList() {
  const world = await createWorld()
  const { table } = await world.generations.look(things)
  let mark = 0
  return {
    table,
    reader: createReader(things, async () => table),
    async put(...rows: Thing[]) {
      mark += 1
      await table.save(rows.map((row) => ({ id: row.id, key: row.id, mark, data: { ...row } })))
    },
  }
}

const newest = { order: 'n', descending: true } as const

describe('a list, page by page', () => {
  test('has every row once, in order, and no next page on the last', async () => {
    const { reader, put } = await createList()
    await put(...Array.from({ length: 7 }, (_, n) => ({ id: `id${n}`, n: n % 3 })))
    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const page = await reader.find({ ...newest, limit: 3, ...(cursor !== undefined && { cursor }) })
      pages.push(page.rows.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== undefined)
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1])
    expect(pages.flat()).toEqual(['id5', 'id2', 'id4', 'id1', 'id6', 'id3', 'id0'])
  })

  test.each([3, 1_000])('a last page that is full has no next (%i rows)', async (count) => {
    const { reader, put } = await createList()
    await put(...Array.from({ length: count }, (_, n) => ({ id: `id${n}`, n })))
    expect(await reader.find({ ...newest, limit: count })).not.toHaveProperty('next')
    await put({ id: 'one-more', n: -1 })
    const page = await reader.find({ ...newest, limit: count })
    expect((await reader.find({ ...newest, cursor: page.next as string })).rows).toEqual([{ id: 'one-more', n: -1 }])
  })

  test('lists none twice and skips none that was there, while others arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(40), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        async (first, later, limit) => {
          const { reader, put } = await createList()
          const row = (n: number, when: string) => ({ id: `${when}${n}`, n: n % 7 })
          await put(...first.map((n) => row(n, 'first')))
          const listed: string[] = []
          const waiting = [...later]
          let cursor: string | undefined
          do {
            const page = await reader.find({ ...newest, limit, ...(cursor !== undefined && { cursor }) })
            listed.push(...page.rows.map(({ id }) => id))
            cursor = page.next
            const next = waiting.shift()
            if (next !== undefined) await put(row(next, 'later'))
          } while (cursor !== undefined)
          expect(new Set(listed).size).toBe(listed.length)
          expect(listed.filter((id) => id.startsWith('first')).sort()).toEqual(first.map((n) => `first${n}`).sort())
        },
      ),
      { numRuns: 60, seed: 40 },
    )
  })
})

describe('a cursor', () => {
  const asked = { lookup: { by: ['text'], order: 'n', descending: true }, equals: ['x'] }
  const place = { order: 5, id: 'row"é' }
  const cursor = issueCursor('things', asked, place)

  test('leads back to its place', () => {
    expect(readCursor('things', asked, cursor)).toEqual(place)
  })

  test('is refused by another view, another look-up, other values', () => {
    const others = [
      ['other', asked],
      ['things', { ...asked, equals: ['y'] }],
      ['things', { ...asked, lookup: { ...asked.lookup, descending: false } }],
      ['things', { ...asked, lookup: { by: ['text'], descending: true } }],
    ] as const
    for (const [view, question] of others) {
      expect(() => readCursor(view, question, cursor)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }))
    }
  })

  test('is refused when anything in it was changed, and when it is noise', () => {
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'Aaz09_-=. \n%é'), (at, letter) => {
        fc.pre(cursor[at] !== letter)
        const changed = cursor.slice(0, at) + letter + cursor.slice(at + 1)
        expect(() => readCursor('things', asked, changed)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }))
      }),
    )
    fc.assert(
      fc.property(fc.string(), (noise) => {
        expect(() => readCursor('things', asked, noise)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }))
      }),
    )
    for (const made of ['null', '[]', '[1,2,3]', '["a",{},"b"]', '{}']) {
      const text = Buffer.from(made).toString('base64url')
      expect(() => readCursor('things', asked, text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }))
    }
  })
})

describe('a question', () => {
  test('that is not declared is refused with what is', async () => {
    const { reader } = await createList()
    await expect(reader.find({ where: { text: 'x' }, order: 'n' })).rejects.toMatchObject({
      code: 'LOOKUP_UNDECLARED',
      message:
        'View things declares no look-up by text, ordered by n; declared: all rows, ordered by id; all rows, ordered by n ' +
        'descending; by text, ordered by id. Add it to `index` of the view',
    })
    await expect(reader.find({ order: 'n' })).rejects.toMatchObject({ code: 'LOOKUP_UNDECLARED' })
  })

  test('leaves out what is undefined, takes null, refuses what is no value', async () => {
    const { reader, put } = await createList()
    await put({ id: 'a', n: 1, text: 'x' }, { id: 'b', n: 2 })
    const where = (text: unknown) =>
      reader.find({ where: { text: text as string } }).then(({ rows }) => rows.map(({ id }) => id))
    expect(await where('x')).toEqual(['a'])
    expect(await where(null)).toEqual(['b'])
    expect(await where(undefined)).toEqual(['a', 'b'])
    await expect(where({ $ne: 1 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    await expect(where(Number.NaN)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  test.each([0, -1, 1.5, 1_001, Number.NaN])('for %d rows is refused', async (limit) => {
    const { reader } = await createList()
    await expect(reader.find({ limit })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      fields: { limit: ['must be a whole number from 1 to 1000'] },
    })
  })
})

test('a row that was taken away, a mark and a row that never was are not there', async () => {
  const { reader, table, put } = await createList()
  await put({ id: 'a', n: 1 })
  await table.save([
    { id: 'a', key: 'a', mark: 9, data: null },
    { id: '\u0001k', key: 'k', mark: 9, data: null },
  ])
  expect(await reader.get('a')).toBeUndefined()
  expect(await reader.get('\u0001k')).toBeUndefined()
  expect(await reader.get('nobody')).toBeUndefined()
  expect((await reader.find()).rows).toEqual([])
})
