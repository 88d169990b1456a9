import { type AppOptions, answer, command, createApp, event, handle, list, projection, query, view } from 'obverse'
import * as z from 'zod'

// Posts that are shown in the timelines of followers, and found by their words.

const Post = z.object({ postId: z.string(), author: z.string(), text: z.string(), at: z.number() })
const Entry = z.object({ ...Post.shape, userId: z.string() })
export type Entry = z.infer<typeof Entry>
const Followers = z.array(z.string())

export const Publish = command('posts.publish', z.object({ ...Post.shape, followers: Followers }))
export const Edit = command('posts.edit', z.object({ postId: z.string(), text: z.string(), followers: Followers }))
export const Withdraw = command('posts.withdraw', z.object({ postId: z.string(), followers: Followers }))
const key = (e: { postId: string }) => e.postId
const Published = event('posts.published', Publish.schema, { key })
const Edited = event('posts.edited', Edit.schema, { key })
const Withdrawn = event('posts.withdrawn', Withdraw.schema, { key })

const Page = z.object({ rows: z.array(Entry), next: z.string().optional() })
const Found = z.object({ rows: z.array(Post), next: z.string().optional() })
const paging = { limit: z.number().optional(), cursor: z.string().optional() }
export const Timeline = query('posts.timeline', z.object({ userId: z.string(), ...paging }), Page)
export const Entries = query('posts.entries', z.object({ userId: z.string(), postId: z.string() }), Entry.optional())
export const Size = query('posts.size', z.object({ userId: z.string() }), z.number())
export const Search = query(
  'posts.search',
  z.object({ text: z.string(), author: z.string().optional(), ...paging }),
  Found,
)

const timelines = list('timelines', { entry: Entry, key: 'userId', id: 'postId', order: 'at', descending: true })
const posts = view('posts', { row: Post, key: 'postId', search: { fields: ['author', 'text'], by: ['author'] } })

type Feed = NonNullable<Parameters<typeof projection>[2]>

/** All of it, in one store; both views are fed as `feed` says. */
export function postsApp(options: Pick<AppOptions<[]>, 'store' | 'runtime' | 'broker' | 'views'>, feed: Feed = {}) {
  return createApp({
    ...options,
    handlers: [
      handle(Publish, (c, ctx) => ctx.publish(Published(c))),
      handle(Edit, (c, ctx) => ctx.publish(Edited(c))),
      handle(Withdraw, (c, ctx) => ctx.publish(Withdrawn(c))),
      answer(Timeline, ({ userId, ...page }, ctx) => ctx.view(timelines).page(userId, page)),
      answer(Entries, ({ userId, postId }, ctx) => ctx.view(timelines).get(userId, postId)),
      answer(Size, ({ userId }, ctx) => ctx.view(timelines).count(userId)),
      answer(Search, ({ text, author, ...page }, ctx) => ctx.view(posts).search(text, { ...page, where: { author } })),
    ],
    projections: [
      projection('timeline-entries', timelines, feed)
        .on(Published, ({ followers, ...post }, rows) => {
          for (const userId of followers) rows.add({ userId, ...post })
        })
        .on(Edited, ({ postId, text, followers }, rows) => {
          for (const userId of followers) rows.patch(userId, postId, { text })
        })
        .on(Withdrawn, ({ postId, followers }, rows) => {
          for (const userId of followers) rows.remove(userId, postId)
        }),
      projection('post-list', posts, feed)
        .on(Published, ({ followers: _, ...post }, rows) => rows.put(post))
        .on(Edited, ({ postId, text }, rows) => rows.patch(postId, { text }))
        .on(Withdrawn, ({ postId }, rows) => rows.delete(postId)),
    ],
  })
}
