import assert from 'node:assert/strict'
import { type InlineRows, isObverseError, type StoredRow, type Unit } from 'obverse'
import type { Case } from './case.ts'
import { fact } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, placedOf, unit } from './units.ts'
import { aWhile } from './wait.ts'

const shape = { name: 'inline', key: 'id', lookups: [{ by: ['n'], descending: false }] }

/** Counts the events of a key in its row, as a projection would. */
const count: NonNullable<Unit['project']> = async (events, rows: InlineRows) => {
  const table = rows.table('inline', 1)
  for (const event of events) {
    const [known] = (await table.load([event.key])) as readonly StoredRow[]
    const n = ((known?.data?.n as number | undefined) ?? 0) + 1
    const refused = await table.save([{ id: event.key, key: event.key, mark: event.seq, data: { id: event.key, n } }])
    assert.deepEqual(refused, [])
  }
}

/** Contract of `Unit.project`: views that are filled inside the transaction. */
export const inlineCases: readonly Case<StoreSubject>[] = [
  {
    name: 'inline rows are there with the commit, and see what their own unit wrote',
    async run(subject) {
      const store = await subject.open()
      const table = await store.views.open(shape, 1)
      await store.transactions.commit(ENTRY, unit([fact('a'), fact('a'), fact('b')], [], { project: count }))
      await store.transactions.commit(ENTRY, unit([fact('a')], [], { project: count }))
      assert.deepEqual(
        [await table.get('a'), await table.get('b')],
        [
          { id: 'a', n: 3 },
          { id: 'b', n: 1 },
        ],
      )
      const found = await table.find({ lookup: { by: ['n'], descending: false }, equals: [3], limit: 5 })
      assert.deepEqual(
        found.map(({ id }) => id),
        ['a'],
      )
    },
  },
  {
    name: 'inline rows are found by their words with the commit, and not without it',
    needs: ['search'],
    async run(subject) {
      const store = await subject.open()
      const searched = { ...shape, name: 'inline-words', search: { fields: ['text'], by: [] } }
      const table = await store.views.open(searched, 1)
      const put =
        (text: string, fails = false): NonNullable<Unit['project']> =>
        async ([event], rows) => {
          const mark = event?.seq ?? 0
          await rows.table('inline-words', 1).save([{ id: 'a', key: 'a', mark, data: { id: 'a', text } }])
          if (fails) throw new Error('no')
        }
      await store.transactions.commit(ENTRY, unit([fact('a')], [], { project: put('red') }))
      await assert.rejects(store.transactions.commit(ENTRY, unit([fact('a')], [], { project: put('blue', true) })))
      const find = async (prefix: string) =>
        (await table.search?.({ words: [], prefix, by: [], equals: [], limit: 9 }))?.map(({ id }) => id)
      assert.deepEqual([await find('red'), await find('blue')], [['a'], []])
      await store.transactions.commit(ENTRY, unit([fact('a')], [], { project: put('green') }))
      assert.deepEqual([await find('red'), await find('green')], [[], ['a']])
    },
  },
  {
    name: 'events are given with their seqs, and positions where a commit knows them',
    async run(subject) {
      const store = await subject.open()
      await store.views.open(shape, 1)
      const seen: unknown[] = []
      const project: Unit['project'] = (events) => {
        for (const { key, seq, data, position } of events) seen.push([key, seq, data, position])
      }
      const placed = placedOf(
        await store.transactions.commit(ENTRY, unit([fact('a', 7), fact('a', 8)], [], { project })),
      )
      assert.deepEqual(seen, [
        ['a', 1, { n: 7 }, placed[0]?.position],
        ['a', 2, { n: 8 }, placed[1]?.position],
      ])
      assert.equal(placed[0]?.position !== undefined, store.transactions.knowsPosition)
    },
  },
  {
    name: 'a projection that throws takes its whole unit with it',
    async run(subject) {
      const store = await subject.open()
      const table = await store.views.open(shape, 1)
      const project: Unit['project'] = async (events, rows) => {
        await count(events, rows)
        throw new Error('cannot be folded')
      }
      await assert.rejects(store.transactions.commit(ENTRY, unit([fact('a')], [], { project })), /cannot be folded/)
      assert.equal((await store.events.load('a')).version, 0)
      assert.equal(await table.get('a'), undefined)
      await store.transactions.commit(ENTRY, unit([fact('a')], [], { project: count }))
      assert.deepEqual(await table.get('a'), { id: 'a', n: 1 })
    },
  },
  {
    name: 'a unit that conflicts leaves its rows as they were',
    async run(subject) {
      const store = await subject.open()
      const table = await store.views.open(shape, 1)
      const stale = unit([fact('a')], [], { project: count, expected: new Map([['a', 3]]) })
      await assert.rejects(store.transactions.commit(ENTRY, stale), (error) => isObverseError(error, 'CONFLICT'))
      assert.equal(await table.get('a'), undefined)
    },
  },
  {
    name: 'concurrent units count every event, however slow a projection is',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const table = await one.views.open(shape, 1)
      await two.views.open(shape, 1)
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          (n % 2 ? one : two).transactions.transact(ENTRY, async () => {
            await aWhile(n % 3)
            return unit([fact('a'), fact(`k${n}`)], [], { project: count })
          }),
        ),
      )
      assert.deepEqual(await table.get('a'), { id: 'a', n: 40 })
      assert.equal(await table.count(), 41)
    },
  },
  {
    name: 'inline rows are guarded like any others',
    async run(subject) {
      const store = await subject.open()
      const table = await store.views.open(shape, 1)
      await table.save([{ id: 'a', key: 'a', mark: 5, data: { id: 'a', n: 5 } }])
      let refused: readonly string[] = []
      const project: Unit['project'] = async (_, rows) => {
        refused = await rows.table('inline', 1).save([{ id: 'a', key: 'a', mark: 1, data: { id: 'a', n: 1 } }])
      }
      await store.transactions.commit(ENTRY, unit([fact('a')], [], { project }))
      assert.deepEqual([refused, await table.get('a')], [['a'], { id: 'a', n: 5 }])
    },
  },
  {
    name: 'a unit that can say so sees the generation that was switched to last, and writes there',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      await one.views.open(shape, 1)
      const next = await two.views.open(shape, 2)
      const seen: unknown[] = []
      const project: Unit['project'] = async (events, rows) => {
        const generation = await rows.serving?.('inline')
        seen.push(generation)
        if (generation !== 2) return
        for (const { key, seq } of events) {
          await rows.table('inline', 2).save([{ id: key, key, mark: seq, data: { id: key, n: seq } }])
        }
      }
      await one.transactions.commit(ENTRY, unit([fact('a')], [], { project }))
      await two.checkpoints.setGeneration('inline', { serving: 1 }, { serving: 2 })
      await one.transactions.commit(ENTRY, unit([fact('a')], [], { project }))
      if (seen[0] === undefined) return // a pointer some ms old decides
      assert.deepEqual([seen, await next.get('a')], [[1, 2], { id: 'a', n: 2 }])
    },
  },
  {
    name: 'a unit that can say so sees every earlier event, at once',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      await one.transactions.commit(ENTRY, unit([fact('a', 1), fact('b', 2), fact('a', 3)]))
      let missed: unknown
      const project: Unit['project'] = async ([event], { history }) => {
        if (!history || !event) return
        const types = [event.type]
        const between = await history.between([{ key: 'a', after: 1, before: event.seq }], types)
        const { events, scannedTo } = await history.after(1, 10, types)
        const earlier = events.filter(({ id }) => id !== event.id)
        missed = [between.map(({ seq }) => seq), earlier.map(({ key, seq }) => [key, seq]), scannedTo >= 3]
        assert.deepEqual(await history.between([{ key: 'a', after: 0, before: 9 }], ['another']), [])
      }
      await two.transactions.commit(ENTRY, unit([fact('a', 4)], [], { project }))
      if (missed === undefined || !two.transactions.knowsPosition) return
      assert.deepEqual(missed, [
        [2],
        [
          ['b', 1],
          ['a', 2],
        ],
        true,
      ])
    },
  },
]
