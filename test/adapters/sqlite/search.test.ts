import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import {
  createRegistry,
  type SearchShape,
  type StoredRow,
  systemRuntime,
  type ViewShape,
  type ViewTable,
  wordsOf,
} from 'obverse'
import { memory } from 'obverse/memory'
import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../processes.ts'
import { openStore } from './store.ts'

const folder = temporaryFolder('search')
afterAll(folder.remove)
const at = (name: string) => `${folder.path}/${name}.db`

const shape = (search?: Partial<SearchShape>, lookups: ViewShape['lookups'] = []): ViewShape => ({
  name: 'Shop.x',
  key: 'id',
  lookups,
  ...(search && { search: { fields: ['name'], by: [], ...search } }),
})
const row = (id: string, data: Record<string, unknown> | null, mark = 1): StoredRow => ({
  id,
  key: id,
  mark,
  data: data && { id, ...data },
})
const find = async (table: ViewTable, prefix: string, more: object = {}) =>
  (await table.search?.({ words: [], prefix, by: [], equals: [], limit: 100, ...more }))?.map(({ id }) => id)

/** What the file has, besides the tables of the store. */
function tables(file: string): string[] {
  const db = new DatabaseSync(file, { readOnly: true })
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'obverse_words%' ORDER BY name").all()
  db.close()
  return names.map(({ name }) => name as string)
}

describe('a search', () => {
  it('that a release adds, or widens, finds the rows that were there before', async () => {
    const store = await openStore(at('added'))
    const before = await store.views.open(shape(), 1)
    await before.save([row('a', { name: 'red', text: 'soft' }), row('b', { name: 'blue' }), row('gone', null)])
    const added = await store.views.open(shape({}), 1)
    expect([await find(added, 'red'), await find(added, 'soft')]).toEqual([['a'], []])
    await added.save([
      row('c', { name: 'red' }),
      row('b', { name: 'red', text: 'soft' }, 2),
      row('gone', { name: 'red' }, 2),
    ])
    const wider = await store.views.open(
      shape({ fields: ['name', 'text'], by: ['text'] }, [{ by: ['name'], descending: false }]),
      1,
    )
    expect([await find(wider, 'red'), await find(wider, 'soft')]).toEqual([
      ['a', 'b', 'c', 'gone'],
      ['a', 'b'],
    ])
    expect(await find(wider, 'red', { by: ['text'], equals: ['soft'] })).toEqual(['a', 'b'])
    expect(await wider.find({ lookup: { by: ['name'], descending: false }, equals: ['red'], limit: 9 })).toHaveLength(4)
    await store.close()
  })

  it('that a release takes away takes its index along, and may come back', async () => {
    const store = await openStore(at('removed'))
    await (await store.views.open(shape({}), 1)).save([row('a', { name: 'red' }), row('b', { name: 'red' })])
    expect(tables(at('removed'))).not.toEqual([])
    const plain = await store.views.open(shape(), 1)
    expect(tables(at('removed'))).toEqual([])
    await plain.save([row('a', { name: 'blue' }, 2), row('new', { name: 'red' })])
    const again = await store.views.open(shape({}), 1)
    expect([await find(again, 'red'), await find(again, 'blue')]).toEqual([['b', 'new'], ['a']])
    await again.save([row('new', { name: 'green' }, 2)])
    expect([await find(again, 'red'), await find(again, 'green')]).toEqual([['b'], ['new']])
    await store.close()
  })

  it('finds the same after a VACUUM', async () => {
    const store = await openStore(at('vacuum'))
    const table = await store.views.open(shape({}), 1)
    await table.save(Array.from({ length: 50 }, (_, n) => row(`r${n}`, { name: `word${n}` })))
    await store.close()
    const db = new DatabaseSync(at('vacuum'))
    db.exec(`DELETE FROM "obverse_view_^shop~2e~x_1" WHERE rowid < 20; VACUUM`)
    db.close()
    const opened = await openStore(at('vacuum'))
    const again = await opened.views.open(shape({}), 1)
    for (const n of [19, 20, 33, 49]) expect(await find(again, `word${n}`)).toEqual([`r${n}`])
    await again.save([row('r40', { name: 'other' }, 2)])
    expect([await find(again, 'word40'), await find(again, 'other')]).toEqual([[], ['r40']])
    await opened.close()
  })

  it('goes with a dropped generation and with a reset, and begins again', async () => {
    const store = await openStore(at('reset'))
    const [one, two] = [await store.views.open(shape({}), 1), await store.views.open(shape({}), 2)]
    await one.save([row('a', { name: 'red' })])
    await two.save([row('b', { name: 'red' })])
    await store.views.drop(shape({}), 1)
    expect(tables(at('reset')).filter((name) => name.endsWith('_1'))).toEqual([])
    await store.schema.reset()
    expect(tables(at('reset'))).toEqual([])
    await store.schema.migrate([])
    expect(await find(two, 'red')).toEqual([])
    await two.save([row('c', { name: 'red' })])
    expect(await find(two, 'red')).toEqual(['c'])
    await store.close()
  })

  it('sees the rows of another process', async () => {
    const [here, there] = [await openStore(at('two')), await openStore(at('two'))]
    const [mine, other] = [await here.views.open(shape({}), 1), await there.views.open(shape({}), 1)]
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? mine : other).save([row(`r${n}`, { name: `w${n}` })])),
    )
    expect(await find(mine, 'w')).toHaveLength(20)
    expect(await find(other, 'w1')).toHaveLength(11)
    await Promise.all([here.close(), there.close()])
  })

  it('finds what memory finds, in its order, whatever the rows and the text', async () => {
    const [here, there] = [
      await openStore(at('model')),
      await memory().open({ runtime: systemRuntime, registry: createRegistry([]), relayed: false }),
    ]
    const word = fc.oneof(
      fc.constantFrom(
        'red',
        'Red',
        'redder',
        're',
        'Rêd',
        'blue',
        'AND',
        'not',
        'near',
        '"',
        "'",
        '*',
        'a-b',
        'x:y',
        '東京',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(' '))
    const data = fc.record({
      name: text,
      tags: fc.array(text, { maxLength: 2 }),
      kind: fc.constantFrom('a', 'b', null),
    })
    const saved = fc.record({ id: fc.nat(12), data: fc.option(data, { freq: 6 }) })
    let generation = 0
    await fc.assert(
      fc.asyncProperty(fc.array(saved, { maxLength: 25 }), fc.array(text, { maxLength: 12 }), async (rows, texts) => {
        generation += 1
        const of = shape({ fields: ['name', 'tags'], by: ['kind'] })
        const tables = [await here.views.open(of, generation), await there.views.open(of, generation)]
        for (const table of tables) {
          for (const [mark, { id, data: fields }] of rows.entries()) await table.save([row(`r${id}`, fields, mark + 1)])
        }
        for (const asked of texts) {
          const words = [...wordsOf(asked)]
          const prefix = words.pop()
          if (prefix === undefined) continue
          for (const filter of [{}, { by: ['kind'], equals: [null] }]) {
            const question = { words, prefix, by: [], equals: [], limit: 100, ...filter }
            const [mine, model] = await Promise.all(tables.map((table) => table.search?.(question)))
            expect(mine).toEqual(model)
          }
        }
        await here.views.drop(of, generation)
      }),
      { numRuns: 60, seed: 11 },
    )
    await Promise.all([here.close(), there.close()])
  })
})
