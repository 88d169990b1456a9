import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { fact, Moved, Renamed } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { append } from './units.ts'

/** Contract of `EventStore`. */
export const eventStoreCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a key without events has version 0',
    async run(subject) {
      const store = await subject.open()
      assert.deepEqual(await store.events.load('nobody'), { version: 0, events: [] })
    },
  },
  {
    name: 'events of a key come in the order of their seqs, whatever was committed between',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a', 1), fact('b', 1), fact('a', 2))
      await append(store, fact('b', 2))
      await append(store, fact('a', 3))
      const { version, events } = await store.events.load('a')
      assert.equal(version, 3)
      assert.deepEqual(
        events.map(({ seq, data, key }) => [seq, data, key]),
        [
          [1, { n: 1 }, 'a'],
          [2, { n: 2 }, 'a'],
          [3, { n: 3 }, 'a'],
        ],
      )
    },
  },
  {
    name: 'an event comes back as it was committed',
    async run(subject) {
      const store = await subject.open()
      const data = {
        n: 1.5,
        text: 'Grüße 🚀 \u0000 "quoted" \\ \n',
        list: [null, true, { deep: [] }],
        big: 2 ** 53 - 1,
      }
      const sent = fact('a', 1, { data, correlationId: 'c-1' })
      await append(store, sent)
      const [event] = (await store.events.load('a')).events
      assert.equal(event?.id, sent.id)
      assert.equal(event?.type, sent.type)
      assert.equal(event?.kind, 'event')
      assert.equal(event?.time, sent.time)
      assert.equal(event?.schemaVersion, 1)
      assert.deepEqual(event?.data, data)
      assert.deepEqual(event?.metadata, { correlationId: 'c-1', causationId: null })
    },
  },
  {
    name: 'after leaves out what the caller has; the version stays that of the key',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a', 1), fact('a', 2), fact('a', 3))
      const rest = await store.events.load('a', { after: 2 })
      assert.deepEqual([rest.version, rest.events.map(({ seq }) => seq)], [3, [3]])
      assert.deepEqual(await store.events.load('a', { after: 3 }), { version: 3, events: [] })
      assert.deepEqual(await store.events.load('a', { after: 9 }), { version: 3, events: [] })
    },
  },
  {
    name: 'types leaves out events, but they count in the version',
    async run(subject) {
      const store = await subject.open()
      await append(store, fact('a', 1), fact('a', 2, { definition: Moved }), fact('a', 3))
      const moved = await store.events.load('a', { types: [Moved.type] })
      assert.deepEqual([moved.version, moved.events.map(({ seq }) => seq)], [3, [2]])
      assert.deepEqual(await store.events.load('a', { types: [] }), { version: 3, events: [] })
      const both = await store.events.load('a', { after: 1, types: ['contract.opened', Moved.type] })
      assert.deepEqual(
        both.events.map(({ seq }) => seq),
        [2, 3],
      )
    },
  },
  {
    name: 'data of an older version is upcast on load',
    async run(subject) {
      const store = await subject.open()
      await append(
        store,
        fact('a', 1, { definition: Renamed, data: { name: 'old' }, schemaVersion: 1 }),
        fact('a', 2, { definition: Renamed, data: { title: 'new', n: 2 } }),
      )
      const { events } = await store.events.load('a')
      assert.deepEqual(
        events.map(({ data }) => data),
        [
          { title: 'old', n: 0 },
          { title: 'new', n: 2 },
        ],
      )
    },
  },
  {
    name: 'keys are texts and nothing else: no trimming, folding or escaping',
    async run(subject) {
      const store = await subject.open()
      const keys = ['a', 'A', 'a ', ' a', 'ä', 'a\u0308', '1', '01', "o'k", '%', 'a%', '__proto__', 'constructor', '🚀']
      for (const key of keys) await append(store, fact(key, 1))
      for (const key of keys) assert.equal((await store.events.load(key)).version, 1, JSON.stringify(key))
    },
  },
  {
    name: 'a second process sees what the first has committed',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      await append(one, fact('a', 1))
      assert.equal((await two.events.load('a')).version, 1)
      await append(two, fact('a', 2))
      assert.deepEqual(
        (await one.events.load('a')).events.map(({ data }) => data),
        [{ n: 1 }, { n: 2 }],
      )
    },
  },
]
