import { type AnyView, isObverseError, unchecked, type View, view } from 'obverse'
import { describe, expect, test } from 'vitest'
import { createReader } from '../../src/read/reader.ts'
import { createWorld } from './world.ts'

interface Product {
  readonly sku: string
  readonly name: string
  readonly text?: string
  readonly kind: string
}
const options = { row: unchecked<Product>(), key: 'sku' } as const
const products = view('products', { ...options, search: { fields: ['name', 'text'], by: ['kind', 'sku'] } })

async function createShop() {
  const { store } = await createWorld()
  const table = await store.views.open({ ...products }, 1)
  const rows = ['Red shoe', 'red hat', 'Blue shoe', 'réd sock', 'shoe, red'].map((name, n) => ({
    sku: `s${n}`,
    name,
    kind: n % 2 === 0 ? 'even' : 'odd',
  }))
  await table.save(rows.map((row) => ({ id: row.sku, key: row.sku, mark: 1, data: { ...row } })))
  return { table, reader: createReader(products, async () => table) }
}

const code = (wanted: string, more: object = {}) => expect.objectContaining({ code: wanted, ...more })

describe('a search', () => {
  test('takes text as people type it, and gives pages', async () => {
    const { reader } = await createShop()
    const first = await reader.search('  RÉD! s', { limit: 2 })
    expect(first.rows.map(({ sku }) => sku)).toEqual(['s0', 's3'])
    const second = await reader.search('red S', { limit: 2, cursor: first.next })
    expect(second.rows.map(({ sku }) => sku)).toEqual(['s4'])
    expect(second).not.toHaveProperty('next')
  })

  test('may ask what is equal besides, in any order; undefined does not count', async () => {
    const { reader } = await createShop()
    const find = async (where: Parameters<typeof reader.search>[1]) =>
      (await reader.search('red', where)).rows.map(({ sku }) => sku)
    expect(await find({ where: { kind: 'odd' } })).toEqual(['s1', 's3'])
    expect(await find({ where: { sku: 's3', kind: 'odd' } })).toEqual(['s3'])
    expect(await find({ where: { kind: undefined } })).toEqual(['s0', 's1', 's3', 's4'])
  })

  test('for nothing finds nothing', async () => {
    const { reader } = await createShop()
    for (const text of ['', ' ', '?!']) expect(await reader.search(text)).toEqual({ rows: [] })
  })

  test.each([
    ['a text that is too long', 'x'.repeat(1_001), {}, { text: ['must have at most 1000 characters'] }],
    ['too many words', 'a '.repeat(33), {}, { text: ['must have at most 32 words'] }],
    ['no text', 7, {}, { text: ['must be a text'] }],
    ['no text at all', undefined, {}, { text: ['must be a text'] }],
    ['a value that is none', 'red', { where: { kind: {} } }, { kind: ['must be a text, a number, a boolean or null'] }],
    ['a page that is none', 'red', { limit: 0 }, { limit: ['must be a whole number from 1 to 1000'] }],
  ])('refuses %s, naming it', async (_, text, given, fields) => {
    const { reader } = await createShop()
    await expect(reader.search(text as string, given as object)).rejects.toThrow(code('VALIDATION_FAILED', { fields }))
  })

  test('takes only the cursor of its own question', async () => {
    const { reader } = await createShop()
    const { next } = await reader.search('red', { limit: 1 })
    const others = [
      ['re', {}],
      ['red shoe', {}],
      ['red', { where: { kind: 'even' } }],
    ] as const
    for (const [text, more] of others) {
      await expect(reader.search(text, { ...more, cursor: next })).rejects.toThrow(code('CURSOR_INVALID'))
    }
    await expect(reader.search('red', { cursor: 'noise' })).rejects.toThrow(code('CURSOR_INVALID'))
  })

  test('of what is not declared is refused, and says what is', async () => {
    const { reader, table } = await createShop()
    const asked = reader.search('red', { where: { name: 'x' } as never })
    await expect(asked).rejects.toThrow(code('LOOKUP_UNDECLARED', { message: expect.stringContaining('kind, sku') }))
    const silent: AnyView = view('silent', options)
    const other = createReader(silent, async () => table) as unknown as typeof reader
    await expect(other.search('red')).rejects.toThrow(code('LOOKUP_UNDECLARED'))
  })

  test('in a store that has none and did not say so names the store as the culprit', async () => {
    const { table } = await createShop()
    const { search: _, ...mute } = { ...table, find: table.find, search: table.search }
    const reader = createReader(products, async () => mute as typeof table)
    await expect(reader.search('red')).rejects.toThrow(code('CONFIGURATION_INVALID'))
  })
})

describe('a view', () => {
  const refused = (search: unknown) => {
    try {
      view('v', { ...options, search: search as ['name'] })
    } catch (error) {
      return isObverseError(error, 'CONFIGURATION_INVALID') ? error.message : error
    }
    return 'nothing'
  }

  test.each([
    [[], /0 fields; give 1 to 4/],
    [['a', 'b', 'c', 'd', 'e'], /5 fields; give 1 to 4/],
    [['name', 'name'], /fields of the search of view v names name twice/],
    [{ fields: ['name'], by: ['kind', 'kind'] }, /by of the search of view v names kind twice/],
    [{ fields: 'name' }, /fields of the search of view v is "name"/],
    [{ fields: ['name', 7] }, /give names of fields/],
    [{ field: ['name'] }, /search of view v has no option "field"; did you mean fields/],
    ['name', /search of view v is "name"; give an object/],
  ])('refuses the search %j', (search, message) => expect(refused(search)).toMatch(message))

  test('without a search is what it was', () => {
    const plain: View<Product, 'sku'> = view('plain', options)
    expect(plain).not.toHaveProperty('search')
    expect(plain).not.toHaveProperty('list')
  })
})
