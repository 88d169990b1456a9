import { type App, type Protection, type Runtime, systemRuntime } from 'obverse'
import { memory, memoryBroker } from 'obverse/memory'
import { chaosBroker, drain, seededRandom } from 'obverse/testing'
import { describe, expect, test } from 'vitest'
import { Edit, Entries, type Entry, Publish, postsApp, Search, Size, Timeline, Withdraw } from './posts.ts'
import { stores, until } from './stores.ts'

const USERS = ['ada', 'ben', 'a/b', 'a']
const WORDS = ['red', 'green', 'Blüe', 'redder', 'grey']
type Posts = ReturnType<typeof postsApp>

/** What was said in one run: the posts as they are now. */
type Written = Map<string, { author: string; text: string; at: number; followers: readonly string[] } | undefined>

/** Publishes, edits, withdraws and publishes again, of each post in order, of all posts side by side. */
async function write(app: Posts, seed: number, posts = 24, steps = 8): Promise<Written> {
  const random = seededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const written: Written = new Map()
  const one = async (postId: string) => {
    const followers = USERS.filter(() => random() < 0.7)
    for (let step = 0; step < steps; step += 1) {
      const before = written.get(postId)
      const text = `${pick(WORDS)} ${pick(WORDS)}`
      if (!before) {
        const post = { author: pick(['eve', 'red eve']), text, at: Math.floor(random() * 9), followers }
        written.set(postId, post)
        await app.send(Publish({ postId, ...post, followers: [...followers] }))
      } else if (random() < 0.5) {
        written.set(postId, { ...before, text })
        await app.send(Edit({ postId, text, followers: [...followers] }))
      } else {
        written.set(postId, undefined)
        await app.send(Withdraw({ postId, followers: [...followers] }))
      }
    }
  }
  await Promise.all(Array.from({ length: posts }, (_, n) => one(`p${n}`)))
  return written
}

function timelineOf(user: string, written: Written): Entry[] {
  const entries = [...written].flatMap(([postId, post]) => {
    if (!post?.followers.includes(user)) return []
    const { followers: _, ...shown } = post
    return [{ userId: user, postId, ...shown }]
  })
  return entries.sort((a, b) => b.at - a.at || (a.postId < b.postId ? 1 : -1))
}

async function readAll(ask: (cursor: string | undefined) => Promise<{ rows: unknown[]; next?: string | undefined }>) {
  const rows: unknown[] = []
  let cursor: string | undefined
  do {
    const page = await ask(cursor)
    rows.push(...page.rows)
    cursor = page.next
  } while (cursor !== undefined)
  return rows
}

/** Every timeline, its size, each of its entries; and what a search finds. */
async function expectRead(app: Posts, written: Written) {
  for (const userId of [...USERS, 'nobody']) {
    const should = timelineOf(userId, written)
    expect(await readAll((cursor) => app.ask(Timeline({ userId, limit: 5, cursor })))).toEqual(should)
    expect(await app.ask(Size({ userId }))).toBe(should.length)
    for (const postId of written.keys()) {
      const entry = should.find((one) => one.postId === postId)
      expect(await app.ask(Entries({ userId, postId }))).toEqual(entry)
    }
  }
  const live = [...written].flatMap(([postId, post]) => (post ? [{ postId, ...post }] : []))
  const found = await readAll((cursor) => app.ask(Search({ text: 'RED', limit: 3, cursor })))
  const reds = live.filter(({ author, text }) => /\bred/.test(`${author} ${text}`)).map(({ postId }) => postId)
  expect(found.map((post) => (post as Entry).postId).sort()).toEqual(reds.sort())
  const blue = await app.ask(Search({ text: 'blue', author: 'eve' }))
  const blues = live.filter(({ author, text }) => author === 'eve' && text.includes('Blüe'))
  expect(blue.rows.map(({ postId }) => postId)).toEqual(blues.map(({ postId }) => postId).sort())
}

async function differences(app: Pick<App, 'operate'>) {
  const reports = await Promise.all(
    ['timeline-entries', 'post-list'].map((name) => app.operate.projections.verify(name)),
  )
  return reports.flatMap(({ different, missing, extra }) => [...different, ...missing, ...extra])
}

const feeds = [
  ['inline', { feed: 'inline' }],
  ['from the log', {}],
  ['through a channel', { feed: { channel: 'posts' } }],
] as const

describe.each(stores)('timelines on %s', (_, store) => {
  test.each(feeds)('fed %s, are what was written, and so they are after a rebuild', async (_name, feed) => {
    const app = postsApp({ store: store() }, feed)
    const written = await write(app, 1)
    await drain(app)
    await expectRead(app, written)
    expect(await differences(app)).toEqual([])
    for (const name of ['timeline-entries', 'post-list']) {
      expect(await app.operate.projections.rebuild(name)).toMatchObject({ generation: 2, switched: true })
    }
    await expectRead(app, written)
    await app.stop()
  })

  test('a query with a token shows the write, in a list and in a search', async () => {
    const app = postsApp({ store: store() }, { feed: { channel: 'posts' } })
    await app.start()
    const post = { postId: 'p', author: 'eve', text: 'hello', at: 1, followers: ['ada', 'ben'] }
    const { token } = await app.send(Publish(post))
    expect((await app.ask(Timeline({ userId: 'ben' }), { after: token })).rows).toHaveLength(1)
    expect((await app.ask(Search({ text: 'hell' }), { after: token })).rows).toHaveLength(1)
    const gone = await app.send(Withdraw({ postId: 'p', followers: ['ada', 'ben'] }))
    expect((await app.ask(Timeline({ userId: 'ada' }), { after: gone.token })).rows).toEqual([])
    expect((await app.ask(Search({ text: 'hell' }), { after: gone.token })).rows).toEqual([])
    await app.stop()
  })
})

test('what they are is described', () => {
  const { projections } = postsApp({ store: memory() }).describe()
  expect(projections).toMatchObject([
    {
      view: 'timelines',
      form: 'list',
      lookups: ['by userId, ordered by at descending'],
      search: [],
    },
    { view: 'posts', form: 'rows', lookups: [], search: ['author', 'text'] },
  ])
})

/** One run through a broker that delivers twice, late and out of order, until it has nothing left to deliver. */
async function chaos(store: (typeof stores)[number][1], seed: number, without: readonly Protection[] = []) {
  const runtime: Runtime = { ...systemRuntime, ...(without.length > 0 && { without: new Set(without) }) }
  const server = memoryBroker()
  let late = 0
  const after: Runtime['after'] = (ms, run) => {
    late += 1
    const cancel = systemRuntime.after(ms, () => {
      late -= 1
      run()
    })
    return cancel
  }
  const broker = async () =>
    chaosBroker(server.connect(), {
      duplicate: 0.4,
      reorder: 0.4,
      delay: 15,
      random: seededRandom(seed),
      runtime: { after },
    })
  const app = postsApp({ store: store(), runtime, broker }, { feed: { channel: 'posts' } })
  await app.start()
  const written = await write(app, seed)
  await until(async () => {
    await drain(app)
    const [report] = await app.operate.channels.list()
    return report?.messages === 0 && late === 0
  })
  return { app, written }
}

describe.each(stores)('timelines on %s, through a broker that delivers twice, late and out of order', (_, store) => {
  test.each([1, 2, 3])('are what was written (seed %i)', async (seed) => {
    const { app, written } = await chaos(store, seed)
    await expectRead(app, written)
    expect(await differences(app)).toEqual([])
    await app.stop()
  })

  test.each<Protection>(['guard-by-seq', 'jump-fill'])('and would not be without %s', async (protection) => {
    let wrong: string[] = []
    for (const seed of [1, 2, 3]) {
      const { app } = await chaos(store, seed, [protection])
      wrong = await differences(app)
      await app.stop()
      if (wrong.length > 0) break
    }
    expect(wrong).not.toEqual([])
  })
})
