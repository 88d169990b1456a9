import assert from 'node:assert/strict'
import type { Lookup, Protection, Scalar, StoredRow, ViewShape, ViewStore, ViewTable } from 'obverse'
import type { Case } from './case.ts'

/** What a case of a view store is given. */
export interface ViewSubject {
  /** A view store without views. */
  open(): Promise<ViewStore>
  readonly without?: ReadonlySet<Protection>
}

const byStatus: Lookup = { by: ['status'], descending: false }
const byAge: Lookup = { by: [], order: 'age', descending: false }
const byAgeDown: Lookup = { by: [], order: 'age', descending: true }
const ofStatusByAge: Lookup = { by: ['status', 'vip'], order: 'age', descending: true }
const byId: Lookup = { by: [], descending: false }
const shape: ViewShape = {
  name: 'people',
  key: 'id',
  lookups: [byStatus, byAge, byAgeDown, ofStatusByAge, byId],
}

const row = (id: string, mark: number, data: Record<string, unknown> | null, key: string | null = 'k'): StoredRow => ({
  id,
  key,
  mark,
  data: data && { id, ...data },
})

/** Every page of a look-up, as a reader with a cursor gets them. */
async function pages(table: ViewTable, lookup: Lookup, equals: readonly Scalar[], limit: number): Promise<string[]> {
  const ids: string[] = []
  let after: { readonly order: Scalar; readonly id: string } | undefined
  for (;;) {
    const found = await table.find({ lookup, equals, limit, ...(after && { after }) })
    ids.push(...found.map(({ id }) => id))
    const last = found.at(-1)
    if (!last || found.length < limit) return ids
    after = { order: last.order, id: last.id }
  }
}

/** Contract of `ViewStore` and `ViewTable`. */
export const viewCases: readonly Case<ViewSubject>[] = [
  {
    name: 'rows are loaded as they were saved: key, mark and data, tombstones too',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const data = { status: 'new', age: 1.5, list: [1, { deep: null }], text: 'ä🚀"\\\n', flag: false, none: null }
      const rows = [row('a', 3, data, 'key-1'), row('b', 1, null, 'key-2'), row('c', 9, { age: 1 }, null)]
      assert.deepEqual(await table.save(rows), [])
      const loaded = await table.load(['c', 'nobody', 'a', 'b'])
      assert.deepEqual(
        loaded.toSorted((x, y) => (x.id < y.id ? -1 : 1)),
        rows,
      )
      assert.deepEqual(await table.load([]), [])
    },
  },
  {
    name: 'a row of one key refuses a lower or equal mark, in the write itself',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save([row('a', 5, { n: 5 })])
      assert.deepEqual(await table.save([row('a', 5, { n: 55 }), row('b', 1, { n: 1 })]), ['a'])
      assert.deepEqual(await table.save([row('a', 4, null)]), ['a'])
      assert.deepEqual(await table.get('a'), { id: 'a', n: 5 })
      assert.deepEqual(await table.save([row('a', 6, { n: 6 })]), [])
      assert.deepEqual(await table.get('a'), { id: 'a', n: 6 })
    },
  },
  {
    name: 'a row of one key refuses another key, whatever its mark',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save([row('a', 1, { n: 1 }, 'k'), row('b', 1, null, 'k'), row('c', 1, { n: 1 }, null)])
      const others = ['a', 'b', 'c'].map((id) => row(id, 9, { n: 9 }, 'other'))
      assert.deepEqual([...(await table.save(others))].sort(), ['a', 'b', 'c'])
      assert.deepEqual(await table.load(['a']), [row('a', 1, { n: 1 }, 'k')])
      assert.deepEqual(await table.save([row('b', 2, { n: 2 }, 'k')]), [])
    },
  },
  {
    name: 'a row of a gathering view refuses a lower or equal position',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save([row('a', 100, { n: 1 }, null)])
      assert.deepEqual(await table.save([row('a', 100, { n: 2 }, null)]), ['a'])
      assert.deepEqual(await table.save([row('a', 99, { n: 3 }, null)]), ['a'])
      assert.deepEqual(await table.save([row('a', 101, { n: 4 }, null)]), [])
      assert.deepEqual(await table.get('a'), { id: 'a', n: 4 })
    },
  },
  {
    name: 'of many who save one row, the highest mark stays',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const marks = [3, 9, 1, 7, 2, 8, 4, 6, 5]
      await Promise.all(marks.map((mark) => table.save([row('a', mark, { mark })])))
      assert.deepEqual(await table.get('a'), { id: 'a', mark: 9 })
    },
  },
  {
    name: 'a tombstone hides its row and refuses what is older; what is newer brings the row back',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save([row('a', 1, { status: 'x' })])
      await table.save([row('a', 3, null)])
      assert.equal(await table.get('a'), undefined)
      assert.deepEqual(await pages(table, byStatus, ['x'], 10), [])
      assert.equal(await table.count(), 0)
      assert.deepEqual(await table.save([row('a', 2, { status: 'x' })]), ['a'])
      assert.equal(await table.get('a'), undefined)
      await table.save([row('a', 4, { status: 'x' })])
      assert.deepEqual([await table.count(), await pages(table, byStatus, ['x'], 10)], [1, ['a']])
    },
  },
  {
    name: 'a look-up follows its rows: changed, moved and deleted ones',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save(['a', 'b', 'c'].map((id) => row(id, 1, { status: 'new' })))
      await table.save([row('b', 2, { status: 'old' }), row('c', 2, null)])
      assert.deepEqual(await pages(table, byStatus, ['new'], 10), ['a'])
      assert.deepEqual(await pages(table, byStatus, ['old'], 10), ['b'])
      const [found] = await table.find({ lookup: byStatus, equals: ['old'], limit: 10 })
      assert.deepEqual(found?.data, { id: 'b', status: 'old' })
    },
  },
  {
    name: 'equality tells scalars of every type apart; a field that is missing is null',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const values = { text: '1', number: 1, half: 0.5, yes: true, no: false, none: null, empty: '', word: 'true' }
      await table.save(Object.entries(values).map(([id, status]) => row(id, 1, { status })))
      await table.save([row('missing', 1, {})])
      const expected: readonly (readonly [Scalar, readonly string[]])[] = [
        ['1', ['text']],
        [0.5, ['half']],
        [false, ['no']],
        [null, ['missing', 'none']],
        ['', ['empty']],
        ['true', ['word']],
        ['absent', []],
      ]
      for (const [value, ids] of expected) {
        assert.deepEqual(await pages(table, byStatus, [value], 10), ids, JSON.stringify(value))
      }
    },
  },
  {
    name: 'texts are compared whole and as they are',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const texts = ['a', 'A', 'a ', ' a', 'ä', 'a\u0308', "o'k", '%', 'x'.repeat(2_000), '🚀']
      await table.save(texts.map((status, n) => row(`r${n}`, 1, { status })))
      for (const [n, text] of texts.entries()) assert.deepEqual(await pages(table, byStatus, [text], 10), [`r${n}`])
    },
  },
  {
    name: 'an order is by its field and then by row id, both ways, page by page, ties across pages',
    needs: ['ordered-lookups'],
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const ages = [3, 1, 2, 2, 2, 1, 3, 10, -1, 0.5]
      const rows = ages.map((age, n) => row(`r${n}`, 1, { age }))
      await table.save(rows)
      const up = rows
        .map(({ id }, n) => ({ id, age: ages[n] ?? 0 }))
        .toSorted((a, b) => a.age - b.age || (a.id < b.id ? -1 : 1))
        .map(({ id }) => id)
      for (const limit of [1, 2, 3, 4, 100]) {
        assert.deepEqual(await pages(table, byAge, [], limit), up, `up by ${limit}`)
        assert.deepEqual(await pages(table, byAgeDown, [], limit), up.toReversed(), `down by ${limit}`)
      }
    },
  },
  {
    name: 'an order of texts is by code point, and nothing comes before something',
    needs: ['ordered-lookups'],
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const texts = [null, '', ' ', '0', 'A', 'Z', 'a', 'aa', 'b', 'é', '中', '\uffee', '😀']
      await table.save(texts.map((age, n) => row(`r${String(n).padStart(2, '0')}`, 1, { age })).toReversed())
      const inOrder = texts.map((_, n) => `r${String(n).padStart(2, '0')}`)
      for (const limit of [1, 5, 50]) {
        assert.deepEqual(await pages(table, byAge, [], limit), inOrder)
        assert.deepEqual(await pages(table, byAgeDown, [], limit), inOrder.toReversed())
      }
    },
  },
  {
    name: 'ids are ordered by code point where nothing else is',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const ids = ['', '0', 'A', 'a', 'é', '\uffee', '😀']
      await table.save(ids.toReversed().map((id) => row(id, 1, { age: 1 })))
      for (const limit of [1, 3, 50]) assert.deepEqual(await pages(table, byId, [], limit), ids)
    },
  },
  {
    name: 'several fields and an order make one look-up',
    needs: ['ordered-lookups'],
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save([
        row('a', 1, { status: 'x', vip: true, age: 1 }),
        row('b', 1, { status: 'x', vip: true, age: 2 }),
        row('c', 1, { status: 'x', vip: false, age: 3 }),
        row('d', 1, { status: 'y', vip: true, age: 4 }),
        row('e', 1, { status: 'x', vip: true }),
      ])
      assert.deepEqual(await pages(table, ofStatusByAge, ['x', true], 2), ['b', 'a', 'e'])
      const [first] = await table.find({ lookup: ofStatusByAge, equals: ['x', true], limit: 1 })
      assert.equal(first?.order, 2)
    },
  },
  {
    name: 'a look-up says how many rows it has',
    needs: ['counted-lookups'],
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save(['a', 'b', 'c', 'd'].map((id) => row(id, 1, { status: 'x', vip: true })))
      await table.save([row('c', 2, null), row('d', 2, { status: 'y', vip: null })])
      const size = (lookup: Lookup, equals: readonly Scalar[]) => table.size?.(lookup, equals)
      assert.deepEqual([await size(byStatus, ['x']), await size(byStatus, ['y'])], [2, 1])
      assert.deepEqual([await size(ofStatusByAge, ['x', true]), await size(ofStatusByAge, ['y', null])], [2, 1])
      assert.deepEqual([await size(byStatus, ['nobody']), await size(byId, [])], [0, 3])
    },
  },
  {
    name: 'paging skips nothing and repeats nothing while rows come and go',
    needs: ['ordered-lookups'],
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      await table.save([10, 20, 30, 40].map((age) => row(`r${age}`, 1, { age })))
      const first = await table.find({ lookup: byAgeDown, equals: [], limit: 2 })
      assert.deepEqual(
        first.map(({ id }) => id),
        ['r40', 'r30'],
      )
      await table.save([row('r50', 1, { age: 50 }), row('r30', 2, null), row('r25', 1, { age: 25 })])
      const after = { order: first[1]?.order ?? null, id: first[1]?.id ?? '' }
      const second = await table.find({ lookup: byAgeDown, equals: [], limit: 9, after })
      assert.deepEqual(
        second.map(({ id }) => id),
        ['r25', 'r20', 'r10'],
      )
    },
  },
  {
    name: 'what a caller does with its objects is not seen by the store',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const data = { id: 'a', list: [1] }
      await table.save([{ id: 'a', key: 'k', mark: 1, data }])
      data.list.push(2)
      const got = (await table.get('a')) as typeof data
      assert.deepEqual(got, { id: 'a', list: [1] })
      got.list.push(3)
      assert.deepEqual(await table.get('a'), { id: 'a', list: [1] })
    },
  },
  {
    name: 'generations are apart; opening one twice keeps it, dropping one keeps the other',
    async run(subject) {
      const store = await subject.open()
      const [one, two] = [await store.open(shape, 1), await store.open(shape, 2)]
      await one.save([row('a', 1, { n: 1 })])
      await two.save([row('a', 1, { n: 2 })])
      assert.deepEqual(await (await store.open(shape, 1)).get('a'), { id: 'a', n: 1 })
      await store.drop(shape, 1)
      await store.drop(shape, 7)
      assert.deepEqual(await two.get('a'), { id: 'a', n: 2 })
      const fresh = await store.open(shape, 1)
      assert.deepEqual([await fresh.get('a'), await fresh.count()], [undefined, 0])
      assert.deepEqual(await fresh.save([row('a', 1, { n: 3 })]), [])
    },
  },
  {
    name: 'views are apart, whatever their names',
    async run(subject) {
      const store = await subject.open()
      const names = ['orders', 'order_s', 'orders_1', 'ORDERS2', 'orders-x', 'orders.x']
      for (const name of names) {
        const table = await store.open({ ...shape, name }, 1)
        await table.save([row('a', 1, { name })])
      }
      for (const name of names) {
        const table = await store.open({ ...shape, name }, 1)
        assert.deepEqual(await table.get('a'), { id: 'a', name })
      }
    },
  },
  {
    name: 'a store says what of a view it cannot serve, and serves what it does not name',
    async run(subject) {
      const store = await subject.open()
      assert.deepEqual(store.lacks({ name: 'plain', key: 'id', lookups: [] }), [])
      for (const reason of store.lacks(shape)) assert.ok(reason.length > 10, 'a reason is a sentence')
      assert.ok(store.name.length > 0)
      const searched: ViewShape = { name: 'searched', key: 'id', lookups: [], search: { fields: ['name'], by: [] } }
      const table = await store.open({ name: 'plain', key: 'id', lookups: [] }, 1)
      const lacksSearch = store.lacks(searched).length > 0
      assert.equal(lacksSearch, table.search === undefined, '`lacks` names a search exactly where there is no `search`')
    },
  },
  {
    name: 'a big batch is saved and counted whole',
    async run(subject) {
      const table = await (await subject.open()).open(shape, 1)
      const rows = Array.from({ length: 1_200 }, (_, n) =>
        row(`r${String(n).padStart(4, '0')}`, 1, { status: 's', age: n }),
      )
      await table.save(rows)
      assert.equal(await table.count(), 1_200)
      assert.equal((await table.load(rows.map(({ id }) => id))).length, 1_200)
      assert.deepEqual(
        await pages(table, byStatus, ['s'], 1_000),
        rows.map(({ id }) => id),
      )
    },
  },
]
