import type { Db } from 'mongodb'
import { type Protection, type StoredRow, systemRuntime, type ViewTable } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { describe, expect, it } from 'vitest'
import { server } from '../../servers.ts'
import { databasesOn } from './databases.ts'
import { failingOnce, throwingOnce } from './failing.ts'

const shared = await server('mongodb')
const databases = databasesOn(shared)
const shape = { name: 'rows', key: 'id', lookups: [] }

async function opened(db: Db, without: readonly Protection[] = []): Promise<ViewTable> {
  const store = await mongodb(db)({ runtime: { ...systemRuntime, without: new Set(without) } })
  return store.open(shape, 1)
}

const row = (id: string, mark: number, key: string | null = 'k'): StoredRow => ({
  id,
  key,
  mark,
  data: { id, by: mark },
})

const WRITERS = 16
const ROWS = 20
const BATCHES = 8

/** Sixteen writers, each with its own marks, in any order and on all rows; half of them look first. */
async function race(db: Db, key: string | null, without: readonly Protection[] = []) {
  const tables = await Promise.all(Array.from({ length: WRITERS }, () => opened(db, without)))
  const saved = new Map<string, number[]>()
  let refused = 0
  await Promise.all(
    tables.map(async (table, writer) => {
      const marks = Array.from({ length: BATCHES }, (_, n) => 1 + n * WRITERS + writer)
      for (const mark of marks.sort(() => Math.random() - 0.5)) {
        const rows = Array.from({ length: ROWS }, (_, n) => row(`r${n}`, mark, key))
        if (writer % 2) await table.load(rows.map(({ id }) => id))
        const not = new Set(await table.save(rows.sort(() => Math.random() - 0.5)))
        refused += not.size
        for (const { id } of rows) if (!not.has(id)) saved.set(id, [...(saved.get(id) ?? []), mark])
      }
    }),
  )
  const left = await (tables[0] as ViewTable).load([...saved.keys()])
  return { left, saved, refused }
}

describe.skipIf(shared.missing)('sixteen writers of the same rows', () => {
  it.each(['k', null])('leave the highest mark of each, whatever came when; key %s', async (key) => {
    const { left, saved, refused } = await race(databases.next(), key)
    const highest = WRITERS * BATCHES
    expect(left.map(({ mark, data }) => [mark, data?.by])).toEqual(Array(ROWS).fill([highest, highest]))
    const kept = [...saved.values()].flat().length
    expect(kept + refused).toBe(ROWS * WRITERS * BATCHES)
    for (const marks of saved.values()) expect(new Set(marks).size).toBe(marks.length)
    expect(refused).toBeGreaterThan(0)
    expect([...saved.values()].every((marks) => marks.includes(highest))).toBe(true)
  })

  it.each(['guard-by-seq', 'guard-by-position'] as const)('lose it without %s', async (protection) => {
    const { left } = await race(databases.next(), protection === 'guard-by-seq' ? 'k' : null, [protection])
    expect(left.some(({ mark }) => mark < WRITERS * BATCHES)).toBe(true)
  })
})

describe.skipIf(shared.missing)('rows that were looked for in vain', () => {
  it('are inserted, and a row that somebody made meanwhile keeps its guard', async () => {
    const db = databases.next()
    const [one, two] = [await opened(db), await opened(db)]
    const ids = ['a', 'b', 'c', 'd']
    await one.load(ids)
    await two.save([row('a', 5), row('b', 2), row('c', 2, 'other')])
    const from = databases.sent.length
    expect([...(await one.save(ids.map((id) => row(id, 3))))].sort()).toEqual(['a', 'c'])
    const marks = (await one.load(ids)).map(({ id, mark }) => [id, mark])
    expect(Object.fromEntries(marks)).toEqual({ a: 5, b: 3, c: 2, d: 3 })
    const sent = databases.sent.slice(from).map(({ commandName }) => commandName)
    expect(sent).toEqual(['insert', 'find', 'update', 'find'])
  })

  it('are saved in one command, and so are rows that were there', async () => {
    const table = await opened(databases.next())
    const ids = Array.from({ length: 300 }, (_, n) => `r${n}`)
    for (const mark of [1, 2]) {
      await table.load(ids)
      const from = databases.sent.length
      expect(await table.save(ids.map((id) => row(id, mark)))).toEqual([])
      const sent = databases.sent.slice(from).map(({ commandName }) => commandName)
      expect(sent).toEqual([mark === 1 ? 'insert' : 'update'])
    }
  })
})

describe.skipIf(shared.missing)('errors of single writes', () => {
  it.each([112, 16_777_220])('code %i is tried again, and only what failed', async (code) => {
    const db = databases.next()
    const failing = failingOnce(db, code, [1])
    const table = await opened(failing.db)
    expect(await table.save([row('a', 1), row('b', 1), row('c', 1)])).toEqual([])
    expect(failing.bulks).toEqual([3, 1])
    expect((await table.load(['a', 'b', 'c'])).length).toBe(3)
  })

  it('one that says the server cannot now is an outage', async () => {
    const table = await opened(failingOnce(databases.next(), 10_107, [0]).db)
    await expect(table.save([row('a', 1)])).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' })
    expect(await table.save([row('a', 1)])).toEqual([])
  })

  it('that of a socket, which the driver passes on as it is, is an outage', async () => {
    const ended = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })
    const table = await opened(throwingOnce(databases.next(), ended))
    await expect(table.save([row('a', 1)])).rejects.toMatchObject({ code: 'STORE_UNREACHABLE', cause: ended })
    expect(await table.save([row('a', 1)])).toEqual([])
  })

  it('any other is the fault of its row', async () => {
    const table = await opened(failingOnce(databases.next(), 121, [1]).db)
    await expect(table.save([row('a', 1), row('b', 1)])).rejects.toMatchObject({
      code: 'PERMANENT',
      message: expect.stringMatching(/^Row "b" of .*rows cannot be kept \(made to fail, code 121\)/),
    })
  })

  it("a unique index of somebody else's is named, not tried for ever", async () => {
    const db = databases.next()
    const table = await opened(db)
    await db.collection('rows').createIndex({ by: 1 }, { unique: true })
    await table.save([row('a', 1)])
    await expect(table.save([row('b', 1)])).rejects.toMatchObject({
      code: 'PERMANENT',
      message: expect.stringMatching(/Row "b" .* unique index/),
    })
  })
})
