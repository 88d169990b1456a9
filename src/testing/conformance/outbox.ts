import assert from 'node:assert/strict'
import { type OutboxRow, readEnvelope } from 'obverse'
import type { Case } from './case.ts'
import { fact, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, stampAll, unit } from './units.ts'
import { untilSilent } from './wait.ts'

const onWork = { channels: ['work'] }
const keysOf = (rows: readonly OutboxRow[]) => rows.map(({ key, channel }) => `${channel}/${key}`)
const idsOf = (rows: readonly OutboxRow[]) => rows.map(({ id }) => id)

/** Contract of `Outbox`: the relay's half. */
export const outboxCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a row holds the complete message for each channel of it',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      const sent = fact('a', 3, { channels: ['one', 'two'] })
      await store.transactions.commit(ENTRY, unit([fact('a', 1), sent], [order('c', 4)]))
      await stampAll(store)
      const rows = await store.outbox.claim('r', 10)
      assert.deepEqual(keysOf(rows).toSorted(), ['one/a', 'two/a', 'work/c'])
      const row = rows.find(({ channel }) => channel === 'one')
      assert.equal(row?.messageId, sent.id)
      const { seq, position, data, type, id } = readEnvelope(row?.body ?? '')
      assert.deepEqual([seq, position, data, type, id], [2, 2, { n: 3 }, sent.type, sent.id])
      const command = readEnvelope(rows.find(({ channel }) => channel === 'work')?.body ?? '')
      assert.deepEqual([command.kind, command.seq, command.data], ['command', undefined, { n: 4 }])
    },
  },
  {
    name: 'at most one message of a key is out per channel; the next comes when it is done',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      const units = [1, 2, 3].map((n) => fact('a', n, { channels: ['one', 'two'] }))
      await store.transactions.commit(ENTRY, unit([...units, fact('b', 1, { channels: ['one'] })]))
      await stampAll(store)
      const first = await store.outbox.claim('r', 100)
      assert.deepEqual(keysOf(first).toSorted(), ['one/a', 'one/b', 'two/a'])
      assert.deepEqual(await store.outbox.claim('r', 100), [], 'nor for the same owner')
      assert.deepEqual(await store.outbox.claim('other', 100), [])
      await store.outbox.done('r', idsOf(first.filter(({ channel }) => channel === 'one')))
      const second = await store.outbox.claim('r', 100)
      assert.deepEqual(
        second.map(({ body }) => readEnvelope(body).data),
        [{ n: 2 }],
      )
      assert.deepEqual(keysOf(second), ['one/a'])
    },
  },
  {
    name: 'messages without a key do not wait for each other',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      await store.transactions.commit(
        ENTRY,
        unit(
          [],
          [1, 2, 3].map((n) => order(null, n)),
        ),
      )
      const rows = await store.outbox.claim('r', 2)
      assert.deepEqual(
        rows.map(({ body }) => readEnvelope(body).data),
        [{ n: 1 }, { n: 2 }],
      )
      assert.equal((await store.outbox.claim('r', 10)).length, 1)
    },
  },
  {
    name: 'a failed row waits for its time and keeps its key; done and failed ones are gone or free after',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      await store.transactions.commit(ENTRY, unit([fact('a', 1, onWork), fact('a', 2, onWork), fact('b', 1, onWork)]))
      await stampAll(store)
      const rows = await store.outbox.claim('r', 10)
      const [a, b] = ['a', 'b'].map((key) => rows.find((row) => row.key === key)?.id ?? 0) as [number, number]
      await store.outbox.failed('r', [a], subject.runtime.now() + 60_000, 'returned')
      await store.outbox.done('r', [b])
      assert.deepEqual(await store.outbox.claim('r', 10), [])
      assert.equal((await store.outbox.waiting()).count, 2)
      subject.runtime.skip(60_001)
      const again = await store.outbox.claim('r', 10)
      assert.deepEqual(
        again.map(({ id, body }) => [id, readEnvelope(body).data]),
        [[a, { n: 1 }]],
      )
    },
  },
  {
    name: 'only who has a row can end it',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      await store.transactions.commit(ENTRY, unit([], [order('a')]))
      const ids = idsOf(await store.outbox.claim('r', 10))
      await store.outbox.done('zombie', ids)
      await store.outbox.failed('zombie', ids, 0, 'no')
      assert.equal((await store.outbox.waiting()).count, 1)
      assert.deepEqual(await store.outbox.claim('other', 10), [])
      await store.outbox.done('r', ids)
      await store.outbox.done('r', ids)
      assert.equal((await store.outbox.waiting()).count, 0)
    },
  },
  {
    name: 'a delayed message is not there before its time, and holds up nothing',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      const due = subject.runtime.now() + 60_000
      await store.transactions.commit(ENTRY, unit([], [order('a', 1, { due }), order('a', 2)]))
      const now = await store.outbox.claim('r', 10)
      assert.deepEqual(
        now.map(({ body }) => readEnvelope(body).data),
        [{ n: 2 }],
      )
      await store.outbox.done('r', idsOf(now))
      subject.runtime.skip(60_001)
      assert.deepEqual(
        (await store.outbox.claim('r', 10)).map(({ body }) => readEnvelope(body).data),
        [{ n: 1 }],
      )
    },
  },
  {
    name: 'a command that was given out is too late to call off, although nobody knows whether it was published',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      const { message } = order('a')
      await store.transactions.commit(ENTRY, unit([], [{ message, tracked: true }]))
      const ids = idsOf(await store.outbox.claim('r', 10))
      assert.equal(await store.statuses.cancel(message.id), false, 'on its way')
      await store.outbox.failed('r', ids, subject.runtime.now() + 60_000, 'the connection was lost')
      assert.equal(await store.statuses.cancel(message.id), false, 'unknown')
      assert.equal((await store.statuses.get(message.id))?.state, 'pending')
      subject.runtime.skip(60_001)
      assert.deepEqual(idsOf(await store.outbox.claim('r', 10)), ids)
    },
  },
  {
    name: 'rows of a store that was closed are taken by the next',
    async run(subject) {
      const [one, two] = [await subject.open({ relayed: true }), await subject.open({ relayed: true })]
      await one.transactions.commit(ENTRY, unit([], [order('a')]))
      assert.equal((await one.outbox.claim('one', 10)).length, 1)
      assert.equal((await two.outbox.claim('two', 10)).length, 0)
      await one.close()
      assert.equal((await two.outbox.claim('two', 10)).length, 1)
    },
  },
  {
    name: 'rows of a process that died are taken by the next, once it is silent for long enough',
    async run(subject) {
      const dying = subject.process()
      const [one, two] = [await subject.open({ relayed: true }, dying), await subject.open({ relayed: true })]
      await one.transactions.commit(ENTRY, unit([], [order('a')]))
      assert.equal((await one.outbox.claim('one', 10)).length, 1)
      dying.freeze()
      assert.equal((await two.outbox.claim('two', 10)).length, 0, 'it may yet live')
      await untilSilent(subject, async () => (await two.outbox.claim('two', 10)).length === 1)
    },
  },
  {
    name: 'waiting tells how many rows there are and how old the oldest is',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      assert.equal((await store.outbox.waiting()).count, 0)
      await store.transactions.commit(ENTRY, unit([], [order('a'), order('b')]))
      subject.runtime.skip(5_000)
      const { count, oldest } = await store.outbox.waiting()
      assert.equal(count, 2)
      assert.ok(oldest !== undefined && oldest >= 5_000 && oldest < 60_000, `oldest is ${oldest}`)
    },
  },
]
