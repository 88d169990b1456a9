// An event that changed its shape: what was stored by the old release is read in the new one.
import { command, createApp, event, handle, projection, unchecked, upcast, view } from 'obverse'
import { memory } from 'obverse/memory'

const store = memory()
const SignUp = command('author.sign-up', unchecked<{ id: string; name: string }>())

// the old release
const SignedUpV1 = event('author.signed-up', unchecked<{ id: string; name: string }>(), { key: (e) => e.id })
const old = createApp({ handlers: [handle(SignUp, (c, ctx) => ctx.publish(SignedUpV1(c)))], store })
await old.send(SignUp({ id: 'a-1', name: 'Ada Lovelace' }))
await old.stop()

// the new one
const history = upcast<{ id: string; name: string }>().to(({ id, name }) => {
  const [first = '', last = ''] = name.split(' ')
  return { id, first, last }
})
interface Author {
  readonly id: string
  readonly first: string
  readonly last: string
}
const SignedUp = event('author.signed-up', unchecked<Author>(), { key: (e) => e.id, history })
const authors = view('authors', { row: unchecked<Author>(), key: 'id' })
const authorList = projection('author-list', authors).on(SignedUp, (e, rows) => {
  console.log(e)
  rows.put(e)
})
const app = createApp({ handlers: [], projections: [authorList], store })
await app.drain()
await app.stop()

/* prints
{ id: 'a-1', first: 'Ada', last: 'Lovelace' }
*/
