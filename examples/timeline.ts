// A list is a view in order, one for each key: a post is shown in the timeline of every follower, newest first.
import { answer, command, createApp, event, handle, list, projection, query, unchecked } from 'obverse'
import { memory } from 'obverse/memory'

interface Entry {
  readonly userId: string
  readonly postId: string
  readonly text: string
  readonly at: number
}
const Publish = command('post.publish', unchecked<{ postId: string; text: string; followers: string[] }>())
const Withdraw = command('post.withdraw', unchecked<{ postId: string; followers: string[] }>())
const Published = event('post.published', unchecked<{ postId: string; text: string; followers: string[] }>(), {
  key: (e) => e.postId,
})
const Withdrawn = event('post.withdrawn', unchecked<{ postId: string; followers: string[] }>(), {
  key: (e) => e.postId,
})
const Timeline = query(
  'timeline',
  unchecked<{ userId: string; cursor?: string | undefined }>(),
  unchecked<{ texts: string[]; of: number; next: string | undefined }>(),
)

const timelines = list('timelines', {
  entry: unchecked<Entry>(),
  key: 'userId',
  id: 'postId',
  order: 'at',
  descending: true,
  limit: 800,
})
// all events of an entry have the key of its post, so each is exact: a late copy of the first does not bring it back
const timelineEntries = projection('timeline-entries', timelines)
  .on(Published, ({ followers, ...post }, rows, { position = 0 }) => {
    for (const userId of followers) rows.add({ userId, ...post, at: position })
  })
  .on(Withdrawn, ({ postId, followers }, rows) => {
    for (const userId of followers) rows.remove(userId, postId)
  })
const timeline = answer(Timeline, async ({ userId, cursor }, ctx) => {
  const { rows, next } = await ctx.view(timelines).page(userId, { limit: 2, cursor })
  return { texts: rows.map(({ text }) => text), of: await ctx.view(timelines).count(userId), next }
})

const app = createApp({
  handlers: [
    handle(Publish, (c, ctx) => ctx.publish(Published(c))),
    handle(Withdraw, (c, ctx) => ctx.publish(Withdrawn(c))),
    timeline,
  ],
  projections: [timelineEntries],
  store: memory(),
})
await app.send(Publish({ postId: 'p1', text: 'one', followers: ['ada', 'ben'] }))
await app.send(Publish({ postId: 'p2', text: 'two', followers: ['ada'] }))
await app.send(Publish({ postId: 'p3', text: 'three', followers: ['ada', 'ben'] }))
await app.drain()
const first = await app.ask(Timeline({ userId: 'ada' }))
console.log('ada', first.texts, 'of', first.of)
console.log('ada', (await app.ask(Timeline({ userId: 'ada', cursor: first.next }))).texts)

await app.send(Withdraw({ postId: 'p3', followers: ['ada', 'ben'] }))
await app.drain()
console.log('ben', (await app.ask(Timeline({ userId: 'ben' }))).texts)
await app.stop()

/* prints
ada [ 'three', 'two' ] of 3
ada [ 'one' ]
ben [ 'one' ]
*/
