import { answer, event, list, type Page, projection, query, unchecked, view } from 'obverse'
import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'

const Entry = z.object({ userId: z.string(), postId: z.string(), at: z.number(), text: z.string().optional() })
type Entry = z.infer<typeof Entry>
const Product = z.object({
  sku: z.string(),
  name: z.string(),
  note: z.string().nullable(),
  tags: z.array(z.string()).optional(),
  price: z.number(),
  kind: z.enum(['shoe', 'hat']),
})
type Product = z.infer<typeof Product>

const timelines = list('timelines', {
  entry: Entry,
  key: 'userId',
  id: 'postId',
  order: 'at',
  descending: true,
  limit: 800,
})
const products = view('products', { row: Product, key: 'sku', search: ['name', 'note', 'tags'] })
const filtered = view('filtered', {
  row: Product,
  key: 'sku',
  index: ['kind'],
  search: { fields: ['name'], by: ['kind', 'price'] },
})
const plain = view('plain', { row: Product, key: 'sku', index: ['kind'] })
const Shown = event('shown', Entry, { key: (e) => e.postId })
const Read = query(
  'read',
  z.object({ userId: z.string(), cursor: z.string().optional() }),
  z.object({ rows: z.array(Entry), next: z.string().optional() }),
)
const Any = query('any', z.object({}), unchecked<unknown>())

describe('lists', () => {
  test('a step is given what lists take, and nothing else', () => {
    projection('entries', timelines).on(Shown, (e, rows) => {
      rows.add(e)
      rows.patch(e.userId, e.postId, { text: 'x' })
      rows.remove(e.userId, e.postId)
      expectTypeOf(rows.add).parameters.toEqualTypeOf<[Entry]>()
      // @ts-expect-error an entry says in which list it is
      rows.add({ postId: 'p', at: 1 })
      // @ts-expect-error an entry has the id of its list, too
      rows.remove(e.postId)
      // @ts-expect-error rows of a list are added
      rows.put(e)
    })
  })

  test('a query reads entries, and hands a page on as it is', () => {
    answer(Read, ({ userId, ...page }, ctx) => ctx.view(timelines).page(userId, page))
    answer(Any, async (_, ctx) => {
      const reader = ctx.view(timelines)
      expectTypeOf(reader.get('u', 'p')).resolves.toEqualTypeOf<Entry | undefined>()
      expectTypeOf(reader.page('u')).resolves.toEqualTypeOf<Page<Entry>>()
      expectTypeOf(reader.count('u')).resolves.toEqualTypeOf<number>()
      // @ts-expect-error a list is read by its key
      reader.find({})
    })
  })

  test('wrong fields do not compile', () => {
    // @ts-expect-error no such field
    list('l', { entry: Entry, key: 'nope', id: 'postId' })
    // @ts-expect-error a key is a text
    list('l', { entry: Entry, key: 'at', id: 'postId' })
    // @ts-expect-error an id is there
    list('l', { entry: Entry, key: 'userId', id: 'text' })
    // @ts-expect-error two fields
    list('l', { entry: Entry, key: 'userId', id: 'userId' })
    // @ts-expect-error no such order
    list('l', { entry: Entry, key: 'userId', id: 'postId', order: 'nope' })
  })
})

describe('search', () => {
  test('is there where it is declared, with the fields that it names', () => {
    answer(Any, async (_, ctx) => {
      expectTypeOf(ctx.view(products).search('x')).resolves.toEqualTypeOf<Page<Product>>()
      expectTypeOf(ctx.view(products).get('x')).resolves.toEqualTypeOf<Product | undefined>()
      ctx.view(filtered).search('x', { where: { kind: 'shoe', price: undefined }, limit: 5, cursor: undefined })
      ctx.view(filtered).find({ where: { kind: 'shoe' } })
      // @ts-expect-error equality of name is not declared
      ctx.view(filtered).search('x', { where: { name: 'y' } })
      // @ts-expect-error no equality is declared
      ctx.view(products).search('x', { where: { kind: 'shoe' } })
      // @ts-expect-error no search is declared
      ctx.view(plain).search('x')
    })
  })

  test('fills like any view', () => {
    projection('p', filtered).on(Shown, (e, rows) => {
      rows.increment(e.postId, { price: 1 })
      rows.patch(e.postId, { kind: 'hat' })
      // @ts-expect-error not in a list
      rows.add(e)
    })
  })

  test('of fields that hold no text does not compile', () => {
    // @ts-expect-error a number
    view('v', { row: Product, key: 'sku', search: ['price'] })
    // @ts-expect-error no such field
    view('v', { row: Product, key: 'sku', search: { fields: ['nope'] } })
    // @ts-expect-error no such field
    view('v', { row: Product, key: 'sku', search: { fields: ['name'], by: ['nope'] } })
  })
})
