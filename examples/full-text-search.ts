// A view that declares it is searched by words: no case, no accents, the last word as it is being typed.
import { answer, command, createApp, event, handle, projection, query, unchecked, view } from 'obverse'
import { memory } from 'obverse/memory'

interface Product {
  readonly sku: string
  readonly name: string
  readonly description: string
  readonly kind: 'shoe' | 'bag'
}
const Add = command('product.add', unchecked<Product>())
const Added = event('product.added', unchecked<Product>(), { key: (e) => e.sku })
const Find = query('products.find', unchecked<{ text: string; kind?: Product['kind'] }>(), unchecked<string[]>())

const products = view('products', {
  row: unchecked<Product>(),
  key: 'sku',
  search: { fields: ['name', 'description'], by: ['kind'] },
})
const productList = projection('product-list', products).on(Added, (e, rows) => rows.put(e))
const find = answer(Find, async ({ text, kind }, ctx) => {
  const page = await ctx.view(products).search(text, { where: { kind }, limit: 10 })
  return page.rows.map(({ name }) => name)
})

const app = createApp({
  handlers: [handle(Add, (c, ctx) => ctx.publish(Added(c))), find],
  projections: [productList],
  store: memory(),
})
await app.send(Add({ sku: '1', name: 'Beach bag', description: 'Takes a red shoe or two', kind: 'bag' }))
await app.send(Add({ sku: '2', name: 'Red shoe', description: 'For runners', kind: 'shoe' }))
await app.send(Add({ sku: '3', name: 'Shoe, crème', description: 'With red laces', kind: 'shoe' }))
await app.drain()

// the name counts more than the description
console.log(await app.ask(Find({ text: 'red sho' })))
console.log(await app.ask(Find({ text: 'RED SHOE', kind: 'bag' })))
console.log(await app.ask(Find({ text: 'creme' })))
await app.stop()

/* prints
[ 'Red shoe', 'Beach bag', 'Shoe, crème' ]
[ 'Beach bag' ]
[ 'Shoe, crème' ]
*/
