import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { fact } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { append, ENTRY, stampAll, unit } from './units.ts'
import { aWhile, until } from './wait.ts'

/** Contract of `Positions`, for stores whose commits do not know them. */
export const positionsCases: readonly Case<StoreSubject>[] = [
  {
    name: 'an event has no position and is not in the log until it is stamped',
    needs: ['positions-by-relay'],
    async run(subject) {
      const store = await subject.open()
      assert.equal(store.transactions.knowsPosition, false)
      const [placed] = await append(store, fact('a'))
      assert.equal(placed?.position, undefined)
      assert.deepEqual([await store.log.head(), await store.log.positionOf('a', 1)], [0, undefined])
      assert.deepEqual(await store.log.after(0, 10), { events: [], scannedTo: 0 })
      assert.equal((await store.log.between([{ key: 'a', after: 0, before: 2 }], ['contract.opened'])).length, 1)
      assert.equal(await store.positions?.stamp(10), 1)
      assert.deepEqual([await store.log.head(), await store.log.positionOf('a', 1)], [1, 1])
      assert.equal(await store.positions?.stamp(10), 0)
    },
  },
  {
    name: 'stamp takes at most so many',
    needs: ['positions-by-relay'],
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a'), fact('b'), fact('a'))
      assert.deepEqual([await store.positions?.stamp(2), await store.positions?.stamp(2)], [2, 1])
      assert.equal(await store.log.head(), 3)
    },
  },
  {
    name: 'within a key positions follow the seq, whatever was inserted first',
    needs: ['positions-by-relay', 'late-commits'],
    async run(subject) {
      let go = () => {}
      let first = true
      const reach = (point: string): void | Promise<void> => {
        if (point !== 'commit.before' || !first) return
        first = false
        return new Promise((resolve) => {
          go = resolve
        })
      }
      const store = await subject.open({ reach })
      const late = store.transactions.commit(ENTRY, unit([fact('a', 1), fact('b', 1)]))
      await aWhile(5)
      await append(store, fact('a', 2))
      go()
      await late
      await stampAll(store)
      const { events } = await store.log.after(0, 10)
      const ofA = events.filter(({ key }) => key === 'a')
      assert.deepEqual(
        ofA.map(({ seq }) => seq),
        [1, 2],
      )
      assert.deepEqual(
        ofA.map(({ data }) => data),
        [{ n: 2 }, { n: 1 }],
      )
    },
  },
  {
    name: 'two stampers give every position once',
    needs: ['positions-by-relay'],
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      await append(one, ...Array.from({ length: 100 }, (_, n) => fact(`k${n % 7}`, n)))
      const counts = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? one : two).positions?.stamp(10)))
      assert.equal(
        counts.reduce<number>((sum, count) => sum + (count ?? 0), 0),
        100,
      )
      const { events } = await one.log.after(0, 1_000)
      assert.deepEqual(
        events.map(({ position }) => position),
        Array.from({ length: 100 }, (_, n) => n + 1),
      )
    },
  },
  {
    name: 'with a broker elsewhere an event leaves the outbox only once it has a position',
    needs: ['positions-by-relay'],
    async run(subject) {
      const store = await subject.open({ relayed: true })
      await append(store, fact('a', 1, { channels: ['work'] }))
      assert.deepEqual(await store.outbox.claim('r', 10), [])
      await stampAll(store)
      const [row] = await store.outbox.claim('r', 10)
      assert.equal(JSON.parse(row?.body ?? '{}').position, 1)
    },
  },
  {
    name: 'stamping wakes whoever waits for commits',
    needs: ['positions-by-relay'],
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a'))
      await aWhile(5)
      let woken = 0
      store.onCommit(() => {
        woken += 1
      })
      await stampAll(store)
      await until('the listener to be called', () => woken > 0)
    },
  },
]
