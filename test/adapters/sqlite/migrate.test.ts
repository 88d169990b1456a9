import type { Migration } from 'obverse'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { killAll, start, temporaryFolder } from '../../processes.ts'
import { fact, makeNotes, note, notes, openStore, unit } from './store.ts'

const folder = temporaryFolder('migrate')
afterEach(killAll)
afterAll(folder.remove)
const ENTRY = { name: 'test' }
const at = (name: string) => `${folder.path}/${name}`

const step = (name: string, sql: string): Migration => ({ name, up: async (c) => void (await c.execute(sql, [])) })

describe('migrating', () => {
  it('applies each step once, in order, however many processes start at once', async () => {
    const file = at('raced.db')
    const processes = [1, 2, 3, 4].map(() => start('test/adapters/sqlite/migrating-process.ts', [file]))
    const applied: string[] = []
    for (const each of processes) {
      expect(await each.ended(30_000), each.output).toEqual({ code: 0, signal: null })
      applied.push(...(JSON.parse(/applied (.*)/.exec(each.output)?.[1] ?? '[]') as string[]))
    }
    expect(applied.sort()).toEqual(['001-first', '002-second', '003-third', 'obverse/1'])
    const store = await openStore(file)
    expect(await store.schema.pending([step('001-first', ''), step('004', '')])).toEqual(['004'])
    await store.close()
  })

  it('keeps nothing of a step that throws, and goes on from there', async () => {
    const store = await openStore(at('throws.db'))
    const good = step('1', 'CREATE TABLE a (x INTEGER)')
    const bad = step('2', 'CREATE TABLE b (x INTEGER); CREATE TABLE a (x INTEGER)')
    await expect(store.schema.migrate([good, bad])).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining(' 2 '),
    })
    expect(await store.schema.pending([good, bad])).toEqual(['2'])
    expect(await store.schema.migrate([good, step('2', 'CREATE TABLE b (x INTEGER)')])).toEqual(['2'])
    await store.close()
  })

  it('refuses names that are used twice or are ours', async () => {
    const store = await openStore(at('names.db'))
    const refused = { code: 'CONFIGURATION_INVALID' }
    await expect(store.schema.migrate([step('a', ''), step('a', '')])).rejects.toMatchObject(refused)
    await expect(store.schema.migrate([step('obverse/2', '')])).rejects.toMatchObject(refused)
    await store.close()
  })

  it('shows its own statements before it makes the tables, and none after', async () => {
    const store = await openStore(at('print.db'), { migrated: false })
    expect(await store.schema.pending([])).toEqual(['obverse/1'])
    expect((await store.schema.print()).join('\n')).toMatch(/CREATE TABLE obverse_event/)
    await store.schema.migrate([])
    expect(await store.schema.print()).toEqual([])
    await store.close()
  })
})

describe('a reset', () => {
  it('empties everything, tables with foreign keys and views of another process too', async () => {
    const [one, two] = [await openStore(at('reset.db')), await openStore(at('reset.db'))]
    await makeNotes(one)
    await one.schema.migrate([
      step(
        '3',
        'CREATE TABLE child (id INTEGER, note INTEGER NOT NULL REFERENCES note (id)); CREATE VIEW v AS SELECT 1',
      ),
    ])
    const shape = { name: 'things', key: 'id', lookups: [] }
    const [own, others] = [await one.views.open(shape, 1), await two.views.open(shape, 1)]
    await own.save([{ id: 'x', key: 'k', mark: 1, data: { id: 'x' } }])
    await one.transactions.transact(ENTRY, async (tx) => {
      await note(tx.connection(), 'kept by a child')
      await tx.connection().execute('INSERT INTO child VALUES (1, 1)', [])
      return unit([fact('k')])
    })
    await one.schema.reset()
    expect(await one.schema.pending([])).toEqual(['obverse/1'])
    await one.schema.migrate([])
    await makeNotes(one)
    expect(await notes(one)).toEqual([])
    expect(await two.log.head()).toBe(0)
    expect(await others.get('x')).toBeUndefined()
    expect(await others.save([{ id: 'x', key: 'k', mark: 1, data: { id: 'x' } }])).toEqual([])
    expect(await one.transactions.commit(ENTRY, unit([fact('k')]))).toMatchObject({ events: [{ position: 1, seq: 1 }] })
    await two.close()
    await one.close()
  })
})
