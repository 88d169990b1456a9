import { event, isObverseError, type List, list, projection, rootMetadata, unchecked, type ViewTable } from 'obverse'
import { describe, expect, test } from 'vitest'
import { shapeOf } from '../../src/read/generation.ts'
import { entryRowId } from '../../src/read/list-form.ts'
import { createReader } from '../../src/read/reader.ts'
import { createRecorder } from '../../src/read/record.ts'
import { createWorld } from './world.ts'

interface Entry {
  readonly user: string
  readonly post: string
  readonly at: number
  readonly text?: string
}
const entry = unchecked<Entry>()
const newest = { entry, key: 'user', id: 'post', order: 'at', descending: true } as const
const timelines = list('timelines', newest)
const Happened = event('happened', unchecked<object>(), { key: () => 'k' })

/** What a step records. */
function record(step: Parameters<ReturnType<typeof projection<typeof timelines>>['on']>[1]) {
  const of = projection('entries', timelines).on(Happened, step)
  const metadata = rootMetadata('e1')
  return createRecorder(of)({ id: 'e1', type: Happened.type, key: 'k', seq: 1, data: {}, metadata } as never)
}

describe('entries of lists', () => {
  test('are rows whose id is that of list and entry', () => {
    const operations = record((_, rows) => {
      rows.add({ user: 'ada', post: 'p1', at: 1 })
      rows.patch('ada', 'p1', { text: 'x' })
      rows.remove('ada', 'p1')
    })
    expect(operations).toEqual([
      { kind: 'put', id: 'ada/p1', row: { user: 'ada', post: 'p1', at: 1 } },
      { kind: 'patch', id: 'ada/p1', fields: { text: 'x' } },
      { kind: 'delete', id: 'ada/p1' },
    ])
  })

  test('have ids that no other entry has, in the order of their own', () => {
    const names = ['a', 'a/', '/a', '/', '~', '~1', '~0', 'a/b', 'b', '1:a', ' ', 'é']
    const ids = names.flatMap((key) => names.map((id) => entryRowId(key, id)))
    expect(new Set(ids).size).toBe(names.length ** 2)
    for (const key of names) {
      const sorted = [...names].sort()
      expect(sorted.map((id) => entryRowId(key, id)).toSorted()).toEqual(sorted.map((id) => entryRowId(key, id)))
    }
  })

  test.each<[string, Parameters<typeof record>[0], RegExp]>([
    ['no key', (_, rows) => rows.add({ post: 'p', at: 1 } as Entry), /of add has no id; user must be a text/],
    ['no id', (_, rows) => rows.add({ user: 'ada', post: '', at: 1 }), /row "" of add has no id; post must be a text/],
    ['a number as key', (_, rows) => rows.remove(7 as never, 'p'), /row 7 of remove has no id; user must be a text/],
    ['a key that is kept for marks', (_, rows) => rows.remove('\u0001', 'p'), /kept for marks/],
    ['another key', (_, rows) => rows.patch('ada', 'p', { user: 'ben' }), /"ada\/p": patch says user is "ben"/],
    ['another id', (_, rows) => rows.patch('ada', 'p', { post: 'q' }), /"ada\/p": patch says post is "q"/],
    ['what is no JSON', (_, rows) => rows.add({ user: 'a', post: 'p', at: Number.NaN }), /has in at NaN/],
  ])('are refused with %s', (_, step, message) => {
    expect(() => record(step)).toThrow(
      expect.objectContaining({ code: 'PERMANENT', message: expect.stringMatching(message) }),
    )
  })
})

async function open(of: List<Entry, 'user', 'post'>) {
  const { store } = await createWorld()
  const table = await store.views.open(shapeOf(of), 1)
  const put = (...entries: Entry[]) =>
    table.save(
      entries.map((data) => {
        const id = entryRowId(data.user, data.post)
        return { id, key: id, mark: data.at + 1, data: { ...data } }
      }),
    )
  const counted: ViewTable = { ...table, find: table.find, size: undefined } as never
  return { put, table, reader: createReader(of, async () => table), without: createReader(of, async () => counted) }
}

const many = (user: string, count: number) => Array.from({ length: count }, (_, n) => ({ user, post: `p${n}`, at: n }))

describe('a list', () => {
  test('is read in its order, by its key, page by page', async () => {
    const { reader, put } = await open(timelines)
    await put(...many('ada', 5), ...many('ada/p', 2), { user: 'ben', post: 'p9', at: 9 })
    const first = await reader.page('ada', { limit: 3 })
    expect(first.rows.map(({ post }) => post)).toEqual(['p4', 'p3', 'p2'])
    const second = await reader.page('ada', { limit: 3, cursor: first.next })
    expect(second.rows.map(({ post }) => post)).toEqual(['p1', 'p0'])
    expect(second).not.toHaveProperty('next')
    expect(await reader.page('nobody')).toEqual({ rows: [] })
    expect(await reader.get('ada/p', 'p1')).toEqual({ user: 'ada/p', post: 'p1', at: 1 })
    expect([await reader.get('ben', 'p1'), await reader.get('ben', 7 as never)]).toEqual([undefined, undefined])
  })

  test.each([
    [{}, ['p0', 'p1', 'p2']],
    [{ descending: true }, ['p2', 'p1', 'p0']],
    [{ order: 'post', descending: true }, ['p2', 'p1', 'p0']],
  ] as const)('is ordered by id where it has no other order (%j)', async (order, posts) => {
    const { reader, put } = await open(list('by-id', { entry, key: 'user', id: 'post', ...order }))
    await put(...many('ada', 3).toReversed())
    const first = await reader.page('ada', { limit: 2 })
    const second = await reader.page('ada', { limit: 2, cursor: first.next })
    expect([...first.rows, ...second.rows].map(({ post }) => post)).toEqual(posts)
  })

  test.each([1, 2, 3, 4, 7, 8, 50])('with a limit ends there, in pages of %i', async (limit) => {
    const { reader, put } = await open(list('bounded', { ...newest, limit: 7 }))
    await put(...many('ada', 10), ...many('ben', 7))
    for (const user of ['ada', 'ben']) {
      const posts: string[] = []
      let cursor: string | undefined
      do {
        const page = await reader.page(user, { limit, cursor })
        posts.push(...page.rows.map(({ post }) => post))
        cursor = page.next
      } while (cursor !== undefined)
      const all = many(user, user === 'ada' ? 10 : 7).map(({ post }) => post)
      expect(posts).toEqual(all.toReversed().slice(0, 7))
      expect(await reader.count(user)).toBe(7)
    }
  })

  test('with a limit keeps what is beyond: it moves up', async () => {
    const { reader, put, table } = await open(list('bounded', { ...newest, limit: 2 }))
    await put(...many('ada', 3))
    await table.save([{ id: 'ada/p2', key: 'ada/p2', mark: 9, data: null }])
    expect((await reader.page('ada')).rows.map(({ post }) => post)).toEqual(['p1', 'p0'])
  })

  test('is counted, by the store or by reading it', async () => {
    const { reader, without, put } = await open(timelines)
    await put(...many('ada', 2_001), ...many('ben', 1_000))
    for (const each of [reader, without]) {
      expect([await each.count('ada'), await each.count('ben'), await each.count('nobody')]).toEqual([2_001, 1_000, 0])
    }
    const bounded = await open(list('bounded', { ...newest, limit: 800 }))
    await bounded.put(...many('ada', 1_500))
    expect([await bounded.reader.count('ada'), await bounded.without.count('ada')]).toEqual([800, 800])
  })

  test('takes a cursor only of the same key, and only as it was issued', async () => {
    const { reader, put } = await open(list('bounded', { ...newest, limit: 7 }))
    await put(...many('ada', 5), ...many('ben', 5))
    const { next } = await reader.page('ada', { limit: 2 })
    const [print, at, id] = JSON.parse(Buffer.from(next as string, 'base64url').toString())
    const more = Buffer.from(JSON.stringify([print, at, id, 0])).toString('base64url')
    for (const [user, cursor] of [
      ['ben', next],
      ['ada', more],
      ['ada', 'noise'],
    ] as const) {
      await expect(reader.page(user, { cursor })).rejects.toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }))
    }
  })

  test('is refused a key that is no text, and a page that is none', async () => {
    const { reader } = await open(timelines)
    const failed = (fields: object) => expect.objectContaining({ code: 'VALIDATION_FAILED', fields })
    await expect(reader.page(7 as never)).rejects.toThrow(failed({ user: ['must be a text'] }))
    await expect(reader.count(undefined as never)).rejects.toThrow(failed({ user: ['must be a text'] }))
    const limit = ['must be a whole number from 1 to 1000']
    await expect(reader.page('ada', { limit: 1_001 })).rejects.toThrow(failed({ limit }))
  })

  test.each([
    [{ id: 'user' }, /key and id of list l are both user/],
    [{ limit: 0 }, /limit of list l is 0; give a whole number above 0/],
    [{ limit: 1.5 }, /limit of list l is 1.5/],
    [{ key: '' }, /key of list l is ""; give the name of a field/],
    [{ order: 7 }, /order of list l is 7/],
    [{ sort: 'at' }, /list l has no option "sort"/],
  ])('refuses %j', (more, message) => {
    try {
      list('l', { ...newest, ...more } as typeof newest)
    } catch (error) {
      if (!isObverseError(error, 'CONFIGURATION_INVALID')) throw error
      return expect(error.message).toMatch(message)
    }
    throw new Error('it was not refused')
  })
})
