import assert from 'node:assert/strict'
import { type FoundRow, type SearchQuestion, type StoredRow, type ViewShape, type ViewTable, wordsOf } from 'obverse'
import type { Case } from './case.ts'
import type { ViewSubject } from './view.ts'

const shape: ViewShape = {
  name: 'shop',
  key: 'id',
  lookups: [{ by: ['name'], descending: false }],
  search: { fields: ['name', 'tags', 'text', 'maker'], by: ['kind', 'name'] },
}

const row = (id: string, mark: number, data: Record<string, unknown> | null): StoredRow => ({
  id,
  key: 'k',
  mark,
  data: data && { id, ...data },
})

/** The words of `text`, the last as a beginning. */
function asked(text: string): Pick<SearchQuestion, 'words' | 'prefix' | 'by' | 'equals'> {
  const words = [...wordsOf(text)]
  const prefix = words.pop() as string
  return { words, prefix, by: [], equals: [] }
}

/** Every page, as a reader with a cursor gets them. */
async function search(
  table: ViewTable,
  question: Partial<SearchQuestion> & Omit<SearchQuestion, 'limit'>,
  limit = 100,
): Promise<FoundRow[]> {
  assert.ok(table.search, 'a view that is searched has `search`')
  const all: FoundRow[] = []
  for (;;) {
    const last = all.at(-1)
    const after = last && { order: last.order as number, id: last.id }
    const found = await table.search({ ...question, limit, ...(after && { after }) })
    all.push(...found)
    if (found.length < limit) return all
  }
}

const ids = (found: readonly FoundRow[]) => found.map(({ id }) => id)

async function find(table: ViewTable, text: string, limit?: number): Promise<string[]> {
  return ids(await search(table, asked(text), limit))
}

const open = async (subject: ViewSubject, generation = 1) => (await subject.open()).open(shape, generation)

/** Contract of `ViewTable.search`. */
export const searchCases: readonly Case<ViewSubject>[] = [
  {
    name: 'a row is found by all of its words, in whatever field, the last as a beginning',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      await table.save([
        row('a', 1, { name: 'Red shoe', text: 'for runners' }),
        row('b', 1, { name: 'Blue shoe', text: 'with red laces' }),
        row('c', 1, { name: 'Red hat', text: 'with a brim' }),
      ])
      assert.deepEqual(await find(table, 'red shoe'), ['a', 'b'])
      assert.deepEqual(await find(table, 'red sho'), ['a', 'b'])
      assert.deepEqual(await find(table, 'shoe re'), ['a', 'b'])
      assert.deepEqual(await find(table, 'sho red'), [], 'a word that is not the last is whole')
      assert.deepEqual(await find(table, 'shoes'), [])
      assert.deepEqual(await find(table, 'red with b'), ['b', 'c'])
      assert.deepEqual(await find(table, 'red red'), ['a', 'c', 'b'])
    },
  },
  {
    name: 'what is found is whole: id, rank and data',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      const data = { name: 'Red', price: 1.5, list: [{ deep: null }] }
      await table.save([row('a', 1, data)])
      assert.deepEqual(await search(table, asked('red')), [{ id: 'a', order: 0, data: { id: 'a', ...data } }])
    },
  },
  {
    name: 'the order is by how many of the first fields it takes to have all words, and then by row id, page by page',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      await table.save([
        row('f', 1, { name: 'red shoe' }),
        row('b', 1, { name: 'shoe', tags: ['red'] }),
        row('a', 1, { name: 'red', tags: 'red', text: 'red', maker: 'shoe' }),
        row('é', 1, { text: 'shoe red' }),
        row('d', 1, { text: 'red shoe', maker: 'red shoe' }),
        row('c', 1, { name: 'shoe', text: 'red' }),
        row('e', 1, { tags: ['shoe', 'red'], maker: 'red' }),
        row('g', 1, { name: 'red', tags: ['blue'], text: 'hat' }),
        row('A', 1, { name: 'shoe of red' }),
      ])
      const order = ['A', 'f', 'b', 'e', 'c', 'd', 'é', 'a']
      for (const limit of [1, 2, 3, 5, 100])
        assert.deepEqual(await find(table, 'red shoe', limit), order, `by ${limit}`)
      const ranks = (await search(table, asked('shoe red'))).map((found) => found.order)
      assert.deepEqual(ranks, [0, 0, 1, 1, 2, 2, 2, 3])
    },
  },
  {
    name: 'fields may be asked to be equal besides; they tell scalars of every type apart, and nothing is null',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      const kinds = { text: '1', number: 1, yes: true, no: false, none: null, word: 'true' }
      await table.save(Object.entries(kinds).map(([id, kind]) => row(id, 1, { name: 'red', kind })))
      await table.save([row('missing', 1, { name: 'red' }), row('other', 1, { name: 'blue', kind: 1 })])
      const of = async (by: readonly string[], equals: SearchQuestion['equals'], limit?: number) =>
        ids(await search(table, { ...asked('re'), by, equals }, limit))
      assert.deepEqual(await of(['kind'], ['1']), ['text'])
      assert.deepEqual(await of(['kind'], [1]), ['number'])
      assert.deepEqual(await of(['kind'], [true]), ['yes'])
      assert.deepEqual(await of(['kind'], [null], 1), ['missing', 'none'])
      assert.deepEqual(await of(['kind', 'name'], [false, 'red']), ['no'])
      assert.deepEqual(await of(['name'], ['blue']), [])
    },
  },
  {
    name: 'words follow their rows: changed, deleted, brought back, and refused',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      await table.save([row('a', 1, { name: 'red' }), row('b', 1, { name: 'red' })])
      await table.save([row('a', 2, { name: 'blue' }), row('b', 2, null)])
      assert.deepEqual([await find(table, 'red'), await find(table, 'blue')], [[], ['a']])
      assert.deepEqual(await table.save([row('a', 2, { name: 'green' }), row('b', 1, { name: 'red' })]), ['a', 'b'])
      assert.deepEqual([await find(table, 'green'), await find(table, 'red')], [[], []])
      await table.save([row('b', 3, { name: 'red' }), row('\u0001k', 3, null)])
      assert.deepEqual(await find(table, 'red'), ['b'])
      await table.save([row('b', 4, {})])
      assert.deepEqual(await find(table, 'red'), [])
    },
  },
  {
    name: 'of a row that is saved again and again the words of the last count',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      await table.save([row('a', 1, { name: 'red' })])
      await table.save([row('a', 2, { name: 'blue' })])
      for (const mark of [3, 4, 5]) await table.save([row('a', mark, { name: `green${mark}` })])
      assert.deepEqual([await find(table, 'red'), await find(table, 'blue'), await find(table, 'gre')], [[], [], ['a']])
    },
  },
  {
    name: 'texts and texts in a list have words; what is neither has none',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      await table.save([
        row('list', 1, { tags: ['Red', 7, null, 'dark blue'] }),
        row('number', 1, { name: 7, text: null, maker: { name: 'red' } }),
        row('none', 1, {}),
        row('empty', 1, { name: '', text: ' - ' }),
      ])
      assert.deepEqual(await find(table, 'blue red'), ['list'])
      assert.deepEqual([await find(table, '7'), await find(table, 'null')], [[], []])
    },
  },
  {
    name: 'words are those of wordsOf, whatever the alphabet, and none is a sign of a query language',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      const texts = {
        accents: 'Crème Brûlée Ångström',
        sharp: 'Straße',
        greek: 'Οδυσσέας',
        cyrillic: 'Москва',
        hindi: 'हिन्दी',
        chinese: '北京 烤鸭',
        korean: '서울',
        digits: '3.14 1e5 0x1F 007 ٤٢',
        signs: "o'neill a-b c++ me@example.org https://x.io/y?z=1",
        operators: 'and or not near to is',
        emoji: '🚀 start',
        mathematical: '𝐁𝐨𝐥𝐝',
      }
      await table.save(Object.entries(texts).map(([id, name]) => row(id, 1, { name })))
      for (const [id, text] of Object.entries(texts)) {
        for (const word of wordsOf(text)) {
          assert.ok((await find(table, word)).includes(id), `${id} by ${word}`)
          assert.ok((await find(table, [...word][0] as string)).includes(id), `${id} by the beginning of ${word}`)
        }
        assert.deepEqual(await find(table, text), [id], text)
      }
      assert.deepEqual(await find(table, 'CREME brulee'), ['accents'])
      assert.deepEqual(await find(table, 'not and'), ['operators'])
      assert.deepEqual(await find(table, '14 1e5'), ['digits'])
      assert.deepEqual(await find(table, '1e5 3'), ['digits'])
    },
  },
  {
    name: 'of a long word the first 64 characters count, and a long text is found by its words',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      const many = Array.from({ length: 3_000 }, (_, n) => `word${n}`)
      await table.save([row('word', 1, { name: `${'x'.repeat(64)}yyy` }), row('text', 1, { text: many.join(' ') })])
      assert.deepEqual(await find(table, `${'x'.repeat(64)}zzz`), ['word'])
      assert.deepEqual(await find(table, `${'x'.repeat(63)}z`), [])
      assert.deepEqual(await find(table, 'word0 word1500 word2999'), ['text'])
    },
  },
  {
    name: 'paging skips nothing and repeats nothing while rows come and go',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      await table.save(['b', 'd', 'f', 'h'].map((id) => row(id, 1, { name: 'red' })))
      const first = (await table.search?.({ ...asked('red'), limit: 2 })) ?? []
      assert.deepEqual(ids(first), ['b', 'd'])
      await table.save([row('a', 1, { name: 'red' }), row('d', 2, null), row('e', 1, { name: 'red' })])
      const second = await table.search?.({ ...asked('red'), limit: 9, after: { order: 0, id: 'd' } })
      assert.deepEqual(ids(second ?? []), ['e', 'f', 'h'])
    },
  },
  {
    name: 'a view is searched apart from other views and generations, and not at all when it is dropped',
    needs: ['search'],
    async run(subject) {
      const store = await subject.open()
      const [one, two] = [await store.open(shape, 1), await store.open(shape, 2)]
      const other = await store.open({ ...shape, name: 'Shop' }, 1)
      await one.save([row('a', 1, { name: 'red' })])
      await two.save([row('b', 1, { name: 'red' })])
      await other.save([row('c', 1, { name: 'red' })])
      assert.deepEqual(
        [await find(one, 'red'), await find(two, 'red'), await find(other, 'red')],
        [['a'], ['b'], ['c']],
      )
      await store.drop(shape, 1)
      const fresh = await store.open(shape, 1)
      assert.deepEqual([await find(fresh, 'red'), await find(two, 'red')], [[], ['b']])
      await fresh.save([row('d', 1, { name: 'red' })])
      assert.deepEqual(await find(fresh, 'red'), ['d'])
    },
  },
  {
    name: 'a big batch is found whole',
    needs: ['search'],
    async run(subject) {
      const table = await open(subject)
      const rows = Array.from({ length: 1_200 }, (_, n) =>
        row(`r${String(n).padStart(4, '0')}`, 1, { name: `item ${n}`, text: 'of the big batch' }),
      )
      await table.save(rows)
      assert.deepEqual(await find(table, 'batch item', 500), ids(rows.map(({ id }) => ({ id, order: 0, data: {} }))))
      assert.deepEqual(await find(table, 'batch 1199'), ['r1199'])
      assert.equal((await find(table, 'item 11', 1_000)).length, 111)
    },
  },
]
