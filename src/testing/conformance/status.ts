import assert from 'node:assert/strict'
import type { Runtime } from 'obverse'
import type { Case } from './case.ts'
import { arrival, fact, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, unit } from './units.ts'
import { Inbound } from './wait.ts'

const failure = { attempts: 1, code: 'E', reason: 'r', detail: '' }

/** Contract of `Statuses`. */
export const statusCases: readonly Case<StoreSubject>[] = [
  {
    name: 'an accepted message is pending, an untracked or unknown one has no status',
    async run(subject) {
      const store = await subject.open()
      const [tracked, untracked] = [order('a', 1, { correlationId: 'c' }), order('a')]
      await store.transactions.commit(ENTRY, unit([], [tracked, { ...untracked, tracked: false }]))
      const row = await store.statuses.get(tracked.message.id)
      assert.ok(row)
      const { messageId, type, state, correlationId, causationId, acceptedAt, changedAt, due } = row
      assert.deepEqual(
        { messageId, type, state, correlationId, causationId, due },
        {
          messageId: tracked.message.id,
          type: 'contract.go',
          state: 'pending',
          correlationId: 'c',
          causationId: null,
          due: undefined,
        },
      )
      assert.equal(acceptedAt, changedAt)
      assert.match(acceptedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(await store.statuses.get(untracked.message.id), undefined)
      assert.equal(await store.statuses.get('nobody'), undefined)
    },
  },
  {
    name: 'a handled command is done, with its result',
    async run(subject) {
      const store = await subject.open()
      const { message } = order('a')
      await store.transactions.commit(ENTRY, unit([], [{ message, tracked: true }]))
      subject.runtime.skip(1_000)
      const entry = { ...ENTRY, tracked: true, delivery: arrival('a', { id: message.id }) }
      const outcome = await store.transactions.commit(entry, unit([], [], { result: '[1]' }))
      assert.deepEqual(outcome, { kind: 'committed', events: [], result: '[1]' })
      const row = await store.statuses.get(message.id)
      assert.deepEqual([row?.state, row?.result], ['done', '[1]'])
      assert.ok(row && row.changedAt > row.acceptedAt)
    },
  },
  {
    name: 'a dead letter of a command is failed, one that is not tracked changes no status',
    async run(subject) {
      const store = await subject.open()
      const [one, two] = [order('a').message, order('b').message]
      await store.transactions.commit(
        ENTRY,
        unit(
          [],
          [one, two].map((message) => ({ message, tracked: true })),
        ),
      )
      await store.held.hold(arrival('a', { id: one.id }), { ...failure, tracked: true })
      await store.held.hold(arrival('b', { id: two.id }), failure)
      assert.deepEqual((await store.statuses.get(one.id))?.state, 'failed')
      assert.deepEqual((await store.statuses.get(two.id))?.state, 'pending')
    },
  },
  {
    name: 'correlated gives one correlation, oldest first, at most so many',
    async run(subject) {
      const store = await subject.open()
      const all = [1, 2, 3].map((n) => order('a', n, { correlationId: 'mine' }))
      for (const message of all) {
        await store.transactions.commit(ENTRY, unit([], [message, order('a')]))
        await nextMillisecond(subject.runtime)
      }
      const ids = all.map(({ message }) => message.id)
      assert.deepEqual(
        (await store.statuses.correlated('mine', 10)).map(({ messageId }) => messageId),
        ids,
      )
      assert.deepEqual(
        (await store.statuses.correlated('mine', 2)).map(({ messageId }) => messageId),
        ids.slice(0, 2),
      )
      assert.deepEqual(await store.statuses.correlated('nobody', 2), [])
    },
  },
  {
    name: 'a message that nobody has taken can be called off, delayed or not; once',
    async run(subject) {
      const store = await subject.open()
      const due = subject.runtime.now() + 60_000
      const [soon, later] = [order('a'), order('a', 2, { due })]
      await store.transactions.commit(ENTRY, unit([], [soon, later]))
      assert.equal((await store.statuses.get(later.message.id))?.due, new Date(due).toISOString())
      for (const { message } of [soon, later]) {
        assert.equal(await store.statuses.cancel(message.id), true)
        assert.equal(await store.statuses.cancel(message.id), false)
        assert.equal((await store.statuses.get(message.id))?.state, 'cancelled')
      }
      assert.equal(await store.statuses.cancel('nobody'), false)
      subject.runtime.skip(60_001)
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      await store.broker.put('work', 'last')
      assert.deepEqual(
        (await inbound.came(1)).map(({ body }) => body),
        ['last'],
      )
    },
  },
  {
    name: 'a message that was taken, held or handled is too late to call off',
    async run(subject) {
      const store = await subject.open()
      const { message } = order('a')
      await store.transactions.commit(ENTRY, unit([], [{ message, tracked: true }]))
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [came] = await inbound.came(1)
      assert.equal(await store.statuses.cancel(message.id), false, 'taken')
      const settlement = came?.settlement
      const delivery = arrival('a', { id: message.id, handler: 'contract.go', ...(settlement && { settlement }) })
      await store.held.hold(delivery, { ...failure, retryAt: subject.runtime.now() - 1 })
      assert.equal(await store.statuses.cancel(message.id), false, 'held after an attempt')
      const [row] = await store.held.claim('o', ['contract.go'], 10)
      const entry = { ...ENTRY, tracked: true, delivery: { ...delivery, heldId: row?.heldId ?? 0 } }
      const { settlement: _, ...withoutQueueRow } = entry.delivery
      await store.transactions.commit({ ...entry, delivery: withoutQueueRow }, unit())
      assert.equal(await store.statuses.cancel(message.id), false, 'handled')
      assert.equal((await store.statuses.get(message.id))?.state, 'done')
    },
  },
  {
    name: 'a unit calls messages off in its own commit, or not at all',
    async run(subject) {
      const store = await subject.open()
      const { message } = order('a', 1, { due: subject.runtime.now() + 60_000 })
      await store.transactions.commit(ENTRY, unit([], [{ message, tracked: true }]))
      const cancel = [message.id, 'nobody']
      const stale = unit([fact('x')], [], { cancel, expected: new Map([['x', 4]]) })
      await assert.rejects(store.transactions.commit(ENTRY, stale))
      assert.equal((await store.statuses.get(message.id))?.state, 'pending')
      await store.transactions.commit(ENTRY, unit([fact('x')], [], { cancel }))
      assert.equal((await store.statuses.get(message.id))?.state, 'cancelled')
    },
  },
  {
    name: 'an event cannot be called off',
    async run(subject) {
      const store = await subject.open()
      const event = fact('a', 1, { channels: ['work'] })
      await store.transactions.commit(ENTRY, unit([event]))
      assert.equal(await store.statuses.cancel(event.id), false)
      assert.equal((await store.broker.peek('work', 10)).length, 1)
    },
  },
]

/** What was accepted in one millisecond has no order. */
async function nextMillisecond(runtime: Runtime): Promise<void> {
  const now = runtime.now()
  while (runtime.now() <= now) await new Promise((resolve) => setImmediate(resolve))
}
