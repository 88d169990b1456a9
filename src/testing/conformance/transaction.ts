import assert from 'node:assert/strict'
import { isObverseError } from 'obverse'
import type { Case } from './case.ts'
import { fact, Moved, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { append, ENTRY, placedOf, unit } from './units.ts'
import { aWhile } from './wait.ts'

const conflict = (error: unknown) => isObverseError(error, 'CONFLICT')

/** Contract of `Transactions`: units, versions, decisions. What an entry does is in entry.ts. */
export const transactionCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a commit says where its events are: type, key and seq, in their order',
    async run(subject) {
      const { transactions } = await subject.open()
      const first = placedOf(await transactions.commit(ENTRY, unit([fact('a'), fact('b'), fact('a')])))
      const second = placedOf(await transactions.commit(ENTRY, unit([fact('a', 1, { definition: Moved })])))
      assert.deepEqual(
        [...first, ...second].map(({ type, key, seq }) => [type, key, seq]),
        [
          ['contract.opened', 'a', 1],
          ['contract.opened', 'b', 1],
          ['contract.opened', 'a', 2],
          ['contract.moved', 'a', 3],
        ],
      )
    },
  },
  {
    name: 'a commit that knows positions tells them, gapless in the order of its events',
    needs: ['positions-at-commit'],
    async run(subject) {
      const { transactions, log } = await subject.open()
      assert.equal(transactions.knowsPosition, true)
      const placed = [
        ...placedOf(await transactions.commit(ENTRY, unit([fact('b'), fact('a')]))),
        ...placedOf(await transactions.commit(ENTRY, unit([fact('b')]))),
      ]
      assert.deepEqual(
        placed.map(({ position }) => position),
        [1, 2, 3],
      )
      for (const { key, seq, position } of placed) assert.equal(await log.positionOf(key, seq), position)
    },
  },
  {
    name: 'an empty unit commits',
    async run(subject) {
      const { transactions } = await subject.open()
      assert.deepEqual(await transactions.commit(ENTRY, unit()), { kind: 'committed', events: [] })
    },
  },
  {
    name: 'an expected version that holds lets the unit in',
    async run(subject) {
      const store = await subject.open()
      const fresh = unit([fact('a')], [], { expected: new Map([['a', 0]]) })
      await store.transactions.commit(ENTRY, fresh)
      await store.transactions.commit(ENTRY, unit([fact('a')], [], { expected: new Map([['a', 1]]) }))
      assert.equal((await store.events.load('a')).version, 2)
    },
  },
  {
    name: 'an expected version that does not hold is a conflict, above and below',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a'), fact('a'))
      for (const version of [0, 1, 3]) {
        const late = unit([fact('a')], [], { expected: new Map([['a', version]]) })
        await assert.rejects(store.transactions.commit(ENTRY, late), conflict, `expected ${version}`)
      }
      assert.equal((await store.events.load('a')).version, 2)
    },
  },
  {
    name: 'a conflict leaves nothing: no event of another key, no message, no status',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a'))
      const message = order('k')
      const late = unit([fact('b', 1, { channels: ['work'] }), fact('a')], [message], { expected: new Map([['a', 0]]) })
      await assert.rejects(store.transactions.commit(ENTRY, late), conflict)
      assert.equal((await store.events.load('b')).version, 0)
      assert.deepEqual(await store.broker.peek('work', 10), [])
      assert.equal(await store.statuses.get(message.message.id), undefined)
    },
  },
  {
    name: 'an expected version of a key that is only read is checked too',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('read'))
      const stale = unit([fact('written')], [], { expected: new Map([['read', 0]]) })
      await assert.rejects(store.transactions.commit(ENTRY, stale), conflict)
      assert.equal((await store.events.load('written')).version, 0)
    },
  },
  {
    name: 'of two units with one expected version exactly one commits',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const attempt = () => unit([fact('a')], [], { expected: new Map([['a', 0]]) })
      const ends = await Promise.allSettled(
        [one, two, one, two].map((store) => store.transactions.commit(ENTRY, attempt())),
      )
      assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const end of ends) if (end.status === 'rejected') assert.ok(conflict(end.reason), String(end.reason))
      assert.equal((await one.events.load('a')).version, 1)
    },
  },
  {
    name: 'seqs are gapless per key under 200 concurrent commits over 5 keys',
    async run(subject) {
      const stores = [await subject.open(), await subject.open()]
      const commits = Array.from({ length: 200 }, (_, n) => {
        const keys = [`k${n % 5}`, `k${(n * 3 + 1) % 5}`]
        return stores[n % 2]?.transactions.commit(ENTRY, unit(keys.map((key) => fact(key, n))))
      })
      const placed = (await Promise.all(commits)).flatMap((outcome) => (outcome ? placedOf(outcome) : []))
      assert.equal(placed.length, 400)
      for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
        const given = placed.filter((event) => event.key === key).map(({ seq }) => seq)
        const whole = Array.from({ length: given.length }, (_, at) => at + 1)
        assert.deepEqual(
          given.toSorted((a, b) => a - b),
          whole,
        )
        const loaded = await stores[0]?.events.load(key)
        assert.deepEqual(
          loaded?.events.map(({ seq }) => seq),
          whole,
        )
      }
    },
  },
  {
    name: 'decide gives the decision the version and the events of its types',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a', 1), fact('a', 2, { definition: Moved }))
      const outcome = await store.transactions.decide(ENTRY, { key: 'a', types: [Moved.type] }, (loaded) => {
        assert.equal(loaded.version, 2)
        assert.deepEqual(
          loaded.events.map(({ seq, data }) => [seq, data]),
          [[2, { n: 2 }]],
        )
        assert.equal(loaded.snapshot, undefined)
        return unit([fact('a', 3)], [], { expected: new Map([['a', loaded.version]]) })
      })
      assert.deepEqual(
        placedOf(outcome).map(({ seq }) => seq),
        [3],
      )
    },
  },
  {
    name: 'decisions on one key each see the one before, or are told of the conflict',
    async run(subject) {
      const store = await subject.open()
      const decide = () =>
        store.transactions.decide(ENTRY, { key: 'a', types: ['contract.opened'] }, ({ version, events }) => {
          assert.equal(events.length, version)
          return unit([fact('a', version + 1)], [], { expected: new Map([['a', version]]) })
        })
      const ends = await Promise.allSettled(Array.from({ length: 50 }, decide))
      const failures = ends.filter((end) => end.status === 'rejected')
      for (const { reason } of failures) assert.ok(conflict(reason), String(reason))
      const { events } = await store.events.load('a')
      assert.equal(events.length, 50 - failures.length)
      assert.deepEqual(
        events.map(({ data }) => data),
        events.map(({ seq }) => ({ n: seq })),
      )
    },
  },
  {
    name: 'a decision that throws keeps nothing, throws the same error, and harms nobody beside it',
    async run(subject) {
      const store = await subject.open()
      const error = new Error('no')
      const request = { key: 'a', types: [] }
      const ends = await Promise.allSettled([
        store.transactions.decide(ENTRY, request, () => unit([fact('b', 1)])),
        store.transactions.decide(ENTRY, request, () => {
          throw error
        }),
        store.transactions.commit(ENTRY, unit([fact('c')], [], { expected: new Map([['c', 7]]) })),
        store.transactions.commit(ENTRY, unit([fact('d', 1)])),
      ])
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
      )
      assert.equal((ends[1] as PromiseRejectedResult).reason, error)
      assert.deepEqual(
        await Promise.all(['b', 'c', 'd'].map(async (key) => (await store.events.load(key)).version)),
        [1, 0, 1],
      )
    },
  },
  {
    name: 'a snapshot is given to decide with the events after it, unless its version is another',
    async run(subject) {
      const store = await subject.open()
      const state = { total: 2, list: [1, { two: 2 }] }
      const snapshot = { name: 'agg', key: 'a', version: 1, seq: 2, state }
      await store.transactions.commit(ENTRY, unit([fact('a', 1), fact('a', 2)], [], { snapshot }))
      await append(store, fact('a', 3))
      const types = ['contract.opened']
      const seen: unknown[] = []
      for (const wanted of [
        { name: 'agg', version: 1 },
        { name: 'agg', version: 2 },
        { name: 'other', version: 1 },
      ]) {
        await store.transactions.decide(ENTRY, { key: 'a', types, snapshot: wanted }, (loaded) => {
          seen.push([loaded.version, loaded.snapshot, loaded.events.map(({ seq }) => seq)])
          return unit()
        })
      }
      assert.deepEqual(seen, [
        [3, { seq: 2, state }, [3]],
        [3, undefined, [1, 2, 3]],
        [3, undefined, [1, 2, 3]],
      ])
    },
  },
  {
    name: 'a newer snapshot replaces the one before',
    async run(subject) {
      const store = await subject.open()
      for (const seq of [1, 2]) {
        const snapshot = { name: 'agg', key: 'a', version: 1, seq, state: { seq } }
        await store.transactions.commit(ENTRY, unit([fact('a', seq)], [], { snapshot }))
      }
      const request = { key: 'a', types: ['contract.opened'], snapshot: { name: 'agg', version: 1 } }
      await store.transactions.decide(ENTRY, request, (loaded) => {
        assert.deepEqual(loaded.snapshot, { seq: 2, state: { seq: 2 } })
        assert.deepEqual(loaded.events, [])
        return unit()
      })
    },
  },
  {
    name: 'works of transact run side by side, and what they return is committed',
    async run(subject) {
      const store = await subject.open()
      let inside = 0
      let most = 0
      const work = (key: string) => async () => {
        inside += 1
        most = Math.max(most, inside)
        await aWhile(20)
        inside -= 1
        return unit([fact(key)])
      }
      await Promise.all(['a', 'b', 'c'].map((key) => store.transactions.transact(ENTRY, work(key))))
      assert.equal(most, 3)
      for (const key of ['a', 'b', 'c']) assert.equal((await store.events.load(key)).version, 1)
    },
  },
  {
    name: 'a work that throws keeps nothing and throws the same error',
    async run(subject) {
      const store = await subject.open()
      const error = new Error('thrown by the work')
      const failing = store.transactions.transact(ENTRY, async () => {
        await aWhile(1)
        throw error
      })
      await assert.rejects(failing, (thrown) => thrown === error)
      assert.equal(await store.log.head(), 0)
    },
  },
  {
    name: 'an expected version that was overtaken while the work ran is a conflict',
    async run(subject) {
      const store = await subject.open()
      const working = store.transactions.transact(ENTRY, async () => {
        await append(store, fact('a'))
        return unit([fact('a')], [], { expected: new Map([['a', 0]]) })
      })
      await assert.rejects(working, conflict)
      assert.equal((await store.events.load('a')).version, 1)
    },
  },
  {
    name: 'a closed store says so',
    async run(subject) {
      const store = await subject.open()
      await store.close()
      await store.close()
      const isClosed = (error: unknown) => isObverseError(error, 'STORE_CLOSED')
      await assert.rejects(store.transactions.commit(ENTRY, unit()), isClosed)
      await assert.rejects(store.events.load('a'), isClosed)
      await assert.rejects(store.held.claim('o', ['h'], 1), isClosed)
    },
  },
]
