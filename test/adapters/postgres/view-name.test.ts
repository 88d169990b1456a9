import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  columnName,
  generationIn,
  indexName,
  quoted,
  tableName,
  VIEW_PREFIX,
  wordsName,
} from '../../../src/adapters/postgres/view-name.ts'

const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.stringMatching(/^[a-zA-Z0-9_#~]{0,50}$/),
  fc.constantFrom(
    'orders',
    'Orders',
    'orders_1',
    'orders-1',
    'x'.repeat(32),
    'x'.repeat(33),
    '"',
    "'",
    '\0',
    '',
    '\ud800',
  ),
)
const generation = fc.integer({ min: 1, max: 2 ** 31 - 1 })

describe('names of views', () => {
  it('are PostgreSQL names, whole, without a sign that ends a quotation', () => {
    fc.assert(
      fc.property(name, generation, fc.array(name), (view, number, fields) => {
        const names = [tableName(view, number), columnName(view), wordsName(fields), indexName(view, number, view)]
        for (const each of names) {
          expect(Buffer.byteLength(each)).toBeLessThanOrEqual(63)
          expect(each).toMatch(/^[A-Za-z0-9_~#]+$/)
          expect(quoted(each)).toBe(`"${each}"`)
        }
      }),
    )
  })

  it('are different for different views, generations and fields', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 2 }),
        fc.uniqueArray(generation, { maxLength: 3 }),
        (views, numbers) => {
          const tables = views.flatMap((view) => numbers.map((number) => tableName(view, number)))
          expect(new Set(tables).size).toBe(tables.length)
          const indexes = views.flatMap((view) => numbers.map((number) => indexName(view, number, 'a')))
          expect(new Set(indexes).size).toBe(indexes.length)
          expect(new Set(views.map(columnName)).size).toBe(views.length)
          expect(new Set(views.map((view) => wordsName([view]))).size).toBe(views.length)
        },
      ),
    )
    expect(wordsName(['a', 'b'])).not.toBe(wordsName(['b', 'a']))
    expect(wordsName(['a,b'])).not.toBe(wordsName(['a', 'b']))
  })

  it('say which view and generation a table is of', () => {
    fc.assert(
      fc.property(name, name, generation, (view, other, number) => {
        expect(generationIn(tableName(view, number), view)).toBe(number)
        if (view !== other) expect(generationIn(tableName(view, number), other)).toBeUndefined()
      }),
    )
    for (const table of [
      `${VIEW_PREFIX}checkpoint`,
      `${VIEW_PREFIX}a_`,
      `${VIEW_PREFIX}a_01`,
      'a_1',
      `${VIEW_PREFIX}a`,
    ]) {
      expect(generationIn(table, 'a')).toBeUndefined()
    }
  })

  it('stay as they are where they can, so that people find them', () => {
    expect([tableName('orders', 3), columnName('createdAt')]).toEqual(['obverse_view_orders_3', 'f_createdAt'])
  })
})
