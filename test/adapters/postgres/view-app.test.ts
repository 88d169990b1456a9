// An application that writes elsewhere and reads from PostgreSQL: its promises, over a server.
import {
  answer,
  command,
  createApp,
  event,
  handle,
  list,
  projection,
  query as question,
  unchecked,
  view,
} from 'obverse'
import { memory } from 'obverse/memory'
import { postgresViews } from 'obverse/postgres'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../processes.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const postgres = await fresh('postgres')

interface Note {
  readonly id: string
  readonly by: string
  readonly text: string
  readonly edits: number
}

const Write = command('write', unchecked<{ id: string; by: string; text: string }>())
const Written = event('written', unchecked<{ id: string; by: string; text: string }>(), { key: (e) => e.id })
const All = question('all', unchecked<{ by: string; text: string }>(), unchecked<unknown>())
const notes = view('notes', {
  row: unchecked<Note>(),
  key: 'id',
  index: ['by', { order: 'edits', descending: true }],
  search: { fields: ['text'], by: ['by'] },
})
const desks = list('desks', { entry: unchecked<Note>(), key: 'by', id: 'id', order: 'text' })

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function world(feed: 'log' | 'channel') {
  const url = await newSchema(postgres.url)
  const reads = postgresViews(url)
  const from = feed === 'channel' ? { feed: { channel: 'notes' } } : {}
  const app = createApp({
    handlers: [
      handle(Write, (c, ctx) => ctx.publish(Written(c))),
      answer(All, async ({ by, text }, ctx) => {
        const own = await ctx.view(notes).find({ where: { by } })
        const found = await ctx.view(notes).search(text, { where: { by } })
        const desk = await ctx.view(desks).page(by)
        return [own, found, desk].map(({ rows }) => rows.map(({ id, edits }) => [id, edits]))
      }),
    ],
    projections: [
      projection('notes', notes, from).on(Written, (e, rows) => rows.increment(e.id, { edits: 1 }, { ...e, edits: 0 })),
      projection('desks', desks, from).on(Written, (e, rows) => rows.add({ ...e, edits: 1 })),
    ],
    store: memory(),
    ...(feed === 'channel' && { channels: { notes: {} } }),
    views: { notes: reads, desks: reads },
  })
  await app.start()
  ends.push(() => app.stop())
  return { app, url }
}

describe.skipIf(postgres.missing)('an application that reads from PostgreSQL', () => {
  for (const feed of ['log', 'channel'] as const) {
    it(`shows what was written, rebuilds, and is caught up when its database comes back empty (${feed})`, async () => {
      const { app, url } = await world(feed)
      const write = (n: number) =>
        app.send(Write({ id: `n${n % 12}`, by: n % 2 ? 'ann' : 'bob', text: `note ${n % 12} red` }))
      let last = await write(0)
      for (let n = 1; n < 36; n += 1) last = await write(n)
      const asked = All({ by: 'ann', text: 're' })
      const rows = [1, 11, 3, 5, 7, 9].map((n) => [`n${n}`, 3])
      const right = [rows, rows, rows.map(([id]) => [id, 1])]
      await until(
        'all',
        async () => JSON.stringify(await app.ask(asked, { after: last.token })) === JSON.stringify(right),
      )
      expect(await app.operate.projections.rebuild('notes')).toMatchObject({ switched: true, rows: 12 })
      expect(await app.ask(asked)).toEqual(right)
      expect((await app.operate.doctor()).filter(({ level }) => level === 'error')).toEqual([])
      const schema = /search_path=(\w+)/.exec(decodeURIComponent(url))?.[1]
      await query(postgres.url, `DROP SCHEMA ${schema} CASCADE; CREATE SCHEMA ${schema}`)
      await until('all again', async () => JSON.stringify(await app.ask(asked)) === JSON.stringify(right), 20_000)
    }, 40_000)
  }
})
