import assert from 'node:assert/strict'
import type { EventEnvelope, OpenStore } from 'obverse'
import type { Case } from './case.ts'
import { fact, Moved, Renamed } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { append, ENTRY, stampAll, unit } from './units.ts'
import { aWhile } from './wait.ts'

/** Reads on from `from` to the end, as a projector does: by what was scanned. */
async function readOn(store: OpenStore, from: number, into: EventEnvelope[], limit = 7): Promise<number> {
  let at = from
  for (;;) {
    const page = await store.log.after(at, limit)
    into.push(...page.events)
    if (page.scannedTo === at) return at
    at = page.scannedTo
  }
}

/** Contract of `Log`. */
export const logCases: readonly Case<StoreSubject>[] = [
  {
    name: 'an empty log has its head at 0 and an empty page',
    async run(subject) {
      const { log } = await subject.open()
      assert.equal(await log.head(), 0)
      assert.deepEqual(await log.after(0, 10), { events: [], scannedTo: 0 })
    },
  },
  {
    name: 'positions are 1, 2, 3 … and a page says how far it looked',
    async run(subject) {
      const store = await subject.open()
      for (let n = 1; n <= 5; n += 1) await append(store, fact(`k${n % 2}`, n))
      await stampAll(store)
      assert.equal(await store.log.head(), 5)
      const first = await store.log.after(0, 3)
      assert.deepEqual([first.events.map(({ position }) => position), first.scannedTo], [[1, 2, 3], 3])
      const rest = await store.log.after(3, 3)
      assert.deepEqual([rest.events.map(({ data }) => data), rest.scannedTo], [[{ n: 4 }, { n: 5 }], 5])
      assert.deepEqual(await store.log.after(5, 3), { events: [], scannedTo: 5 })
    },
  },
  {
    name: 'a reader of few types moves on over what it does not handle',
    async run(subject) {
      const store = await subject.open()
      for (let n = 1; n <= 6; n += 1) await append(store, fact('a', n, n === 4 ? { definition: Moved } : {}))
      await stampAll(store)
      const page = await store.log.after(0, 1, [Moved.type])
      assert.deepEqual(
        page.events.map(({ position }) => position),
        [4],
      )
      assert.ok(page.scannedTo >= 4 && page.scannedTo <= 6)
      assert.deepEqual(await store.log.after(page.scannedTo, 1, [Moved.type]), { events: [], scannedTo: 6 })
      assert.deepEqual(await store.log.after(0, 10, []), { events: [], scannedTo: 6 })
    },
  },
  {
    name: 'a page never says it looked further than the last event it could have given',
    async run(subject) {
      const store = await subject.open()
      for (let n = 1; n <= 4; n += 1) await append(store, fact('a', n, { definition: n % 2 ? Moved : Renamed }))
      await stampAll(store)
      const page = await store.log.after(0, 1, [Moved.type])
      assert.deepEqual([page.events.length, page.scannedTo < 3], [1, true])
    },
  },
  {
    name: 'concurrent transactions that commit late are skipped by no reader, and keep the order of their keys',
    async run(subject) {
      let commits = 0
      const reach = async (point: string) => {
        if (point !== 'commit.before') return
        commits += 1
        if (commits % 3 === 1) await aWhile(15)
      }
      const store = await subject.open({ reach })
      const seen: EventEnvelope[] = []
      let at = 0
      let writing = 0
      const write = async (n: number): Promise<void> => {
        const events = () => unit([fact(`k${n % 4}`), fact('shared')])
        await aWhile(n % 5)
        if (n % 2 === 0) await store.transactions.commit(ENTRY, events())
        else {
          await store.transactions.transact(ENTRY, async () => {
            await aWhile(n % 7)
            return events()
          })
        }
        writing -= 1
      }
      const all: Promise<void>[] = []
      for (let n = 0; n < 30 || writing > 0; n += 1) {
        if (n < 30) {
          writing += 1
          all.push(write(n))
        }
        await aWhile(2)
        await stampAll(store)
        at = await readOn(store, at, seen)
      }
      await Promise.all(all)
      await stampAll(store)
      await readOn(store, at, seen)
      assert.equal(new Set(seen.map(({ id }) => id)).size, 60, 'every committed event, once')
      assert.equal(seen.length, 60)
      for (const key of ['shared', 'k0', 'k1', 'k2', 'k3']) {
        const seqs = seen.filter((event) => event.key === key).map(({ seq }) => seq)
        assert.deepEqual(
          seqs,
          seqs.map((_, index) => index + 1),
          `order of ${key}`,
        )
      }
      assert.deepEqual(
        seen.map(({ position }) => position),
        seen.map((_, index) => index + 1),
      )
    },
  },
  {
    name: 'between gives the events of some keys between two seqs, in the order of key and seq',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('b', 1), fact('a', 1), fact('a', 2, { definition: Moved }), fact('b', 2), fact('a', 3))
      await append(store, fact('a', 4), fact('c', 1))
      const types = ['contract.opened']
      const found = await store.log.between(
        [
          { key: 'b', after: 0, before: 2 },
          { key: 'a', after: 0, before: 4 },
          { key: 'none', after: 0, before: 9 },
        ],
        types,
      )
      assert.deepEqual(
        found.map(({ key, seq }) => [key, seq]),
        [
          ['a', 1],
          ['a', 3],
          ['b', 1],
        ],
      )
      const bounds = await store.log.between([{ key: 'a', after: 3, before: 4 }], types)
      assert.deepEqual(bounds, [], 'both ends are exclusive')
      assert.deepEqual(await store.log.between([{ key: 'a', after: 0, before: 9 }], []), [])
      assert.deepEqual(await store.log.between([], types), [])
    },
  },
  {
    name: 'between answers for many keys at once',
    async run(subject) {
      const store = await subject.open()
      const keys = Array.from({ length: 300 }, (_, n) => `k${String(n).padStart(3, '0')}`)
      await append(store, ...keys.map((key, n) => fact(key, n)))
      const found = await store.log.between(
        keys.map((key) => ({ key, after: 0, before: 2 })),
        ['contract.opened'],
      )
      assert.deepEqual(
        found.map(({ key }) => key),
        keys,
      )
    },
  },
  {
    name: 'positionOf knows stamped events and no others',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('b'), fact('a'))
      await stampAll(store)
      assert.equal(await store.log.positionOf('a', 1), 2)
      assert.equal(await store.log.positionOf('a', 2), undefined)
      assert.equal(await store.log.positionOf('c', 1), undefined)
    },
  },
  {
    name: 'correlated gives one correlation, oldest first, at most so many',
    async run(subject) {
      const store = await subject.open()
      for (let n = 1; n <= 4; n += 1) await append(store, fact('a', n, { correlationId: n === 2 ? 'other' : 'mine' }))
      const found = await store.log.correlated('mine', 10)
      assert.deepEqual(
        found.map(({ seq }) => seq),
        [1, 3, 4],
      )
      assert.deepEqual(
        (await store.log.correlated('mine', 2)).map(({ seq }) => seq),
        [1, 3],
      )
      assert.deepEqual(await store.log.correlated('nobody', 2), [])
    },
  },
  {
    name: 'byId finds an event with its seq, and data of an older version is upcast',
    async run(subject) {
      const store = await subject.open()
      const old = fact('a', 1, { definition: Renamed, data: { name: 'x' }, schemaVersion: 1 })
      await append(store, fact('a', 0), old)
      const found = await store.log.byId(old.id)
      assert.deepEqual([found?.seq, found?.data], [2, { title: 'x', n: 0 }])
      assert.equal(await store.log.byId('nobody'), undefined)
    },
  },
]
