// A view answers only what it declares; a cursor goes on where the page before ended, whatever arrives meanwhile.
import { answer, command, createApp, event, handle, projection, query, unchecked, view } from 'obverse'
import { memory } from 'obverse/memory'

interface Post {
  readonly id: string
  readonly author: string
  readonly place: number
}
const Publish = command('post.publish', unchecked<{ id: string; author: string }>())
const Published = event('post.published', unchecked<{ id: string; author: string }>(), { key: (e) => e.id })
const ListPosts = query(
  'posts.list',
  unchecked<{ author: string; cursor?: string }>(),
  unchecked<{ ids: string[]; next?: string }>(),
)

const newest = { by: ['author'], order: 'place', descending: true } as const
const posts = view('posts', { row: unchecked<Post>(), key: 'id', index: [newest] })
const postList = projection('post-list', posts).on(Published, (e, rows, stored) =>
  rows.put({ ...e, place: stored.position ?? 0 }),
)
const listPosts = answer(ListPosts, async ({ author, cursor }, ctx) => {
  const question = { where: { author }, order: 'place', descending: true, limit: 2 } as const
  const page = await ctx.view(posts).find(cursor === undefined ? question : { ...question, cursor })
  return { ids: page.rows.map(({ id }) => id), ...(page.next !== undefined && { next: page.next }) }
})

const publish = handle(Publish, (c, ctx) => ctx.publish(Published(c)))
const app = createApp({ handlers: [publish, listPosts], projections: [postList], store: memory() })
for (const id of ['p1', 'p2', 'p3', 'p4', 'p5']) await app.send(Publish({ id, author: 'ada' }))
await app.drain()

let page = await app.ask(ListPosts({ author: 'ada' }))
console.log(page.ids)
await app.send(Publish({ id: 'p6', author: 'ada' }))
await app.drain()
while (page.next !== undefined) {
  page = await app.ask(ListPosts({ author: 'ada', cursor: page.next }))
  console.log(page.ids)
}
await app.stop()

/* prints
[ 'p5', 'p4' ]
[ 'p3', 'p2' ]
[ 'p1' ]
*/
