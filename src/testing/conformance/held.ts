import assert from 'node:assert/strict'
import type { Delivery, HeldRow, OpenStore } from 'obverse'
import type { Case } from './case.ts'
import { arrival, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, unit } from './units.ts'
import { Inbound, untilSilent } from './wait.ts'

const failure = { attempts: 1, code: 'E', reason: 'why', detail: 'stack' }
const lane = { handler: 'h', key: 'k' }

/** Handles a claimed row as a consumer would. */
async function handle(store: OpenStore, delivery: Delivery, heldId: number): Promise<string> {
  return (await store.transactions.commit({ ...ENTRY, delivery: { ...delivery, heldId } }, unit())).kind
}

/** Contract of `HeldRows`. A row is only ended by the process that claimed it. */
export const heldCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a retry runs when it is due, not before, with its attempts and its bytes',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      const retryAt = subject.runtime.now() + 10_000
      await store.held.hold(delivery, { ...failure, attempts: 2, retryAt })
      assert.deepEqual(await store.held.claim('o', ['h'], 10), [])
      assert.equal(await store.held.nextDue(['h']), retryAt)
      assert.equal(await store.held.nextDue(['other']), undefined)
      subject.runtime.skip(10_001)
      const [row] = await store.held.claim('o', ['h'], 10)
      assert.deepEqual(
        [row?.messageId, row?.body, row?.attempts, row?.channel, row?.handler, row?.ordered],
        [delivery.envelope.id, delivery.body, 2, 'work', 'h', true],
      )
      assert.deepEqual(await store.held.claim('o', ['h'], 10), [], 'claimed once')
      assert.deepEqual(await store.held.claim('other', ['h'], 10), [])
    },
  },
  {
    name: 'only the head of a lane runs; the next comes when it is gone, in the order of arrival',
    async run(subject) {
      const store = await subject.open()
      const all = [arrival('k'), arrival('k'), arrival('k')] as const
      await store.held.hold(all[0], { ...failure, retryAt: subject.runtime.now() - 1 })
      await store.held.join([all[1], all[2]])
      for (const expected of all) {
        const claimed = await store.held.claim('o', ['h'], 10)
        assert.deepEqual(
          claimed.map(({ messageId }) => messageId),
          [expected.envelope.id],
        )
        assert.equal(await handle(store, expected, claimed[0]?.heldId ?? 0), 'committed')
      }
      assert.deepEqual(await store.held.blocked([lane]), [])
      assert.equal(await store.held.nextDue(['h']), undefined)
    },
  },
  {
    name: 'a head that fails again keeps its place',
    async run(subject) {
      const store = await subject.open()
      const [first, second] = [arrival('k'), arrival('k')]
      await store.held.hold(first, { ...failure, retryAt: subject.runtime.now() - 1 })
      await store.held.join([second])
      const [row] = await store.held.claim('o', ['h'], 10)
      const retryAt = subject.runtime.now() + 10_000
      await store.held.hold({ ...first, heldId: row?.heldId ?? 0 }, { ...failure, attempts: 2, retryAt })
      assert.deepEqual(await store.held.claim('o', ['h'], 10), [])
      subject.runtime.skip(10_001)
      const again = await store.held.claim('o', ['h'], 10)
      assert.deepEqual(
        again.map(({ heldId, attempts }) => [heldId, attempts]),
        [[row?.heldId, 2]],
      )
    },
  },
  {
    name: 'lanes go on side by side, and only for the handlers that were asked for',
    async run(subject) {
      const store = await subject.open()
      const retryAt = subject.runtime.now() - 1
      for (const key of ['a', 'b', 'c']) await store.held.hold(arrival(key), { ...failure, retryAt })
      await store.held.hold(arrival('a', { handler: 'h2' }), { ...failure, retryAt })
      assert.equal((await store.held.claim('o', ['h'], 2)).length, 2)
      assert.equal((await store.held.claim('o', ['h', 'h2'], 10)).length, 2)
      assert.deepEqual(await store.held.claim('o', [], 10), [])
    },
  },
  {
    name: 'rows without order or key block nobody, and run when they are due',
    async run(subject) {
      const store = await subject.open()
      const loose = arrival('k', { ordered: false })
      await store.held.hold(loose, failure)
      await store.held.hold(arrival('k', { ordered: false }), { ...failure, retryAt: subject.runtime.now() - 1 })
      await store.held.hold(arrival(null), { ...failure, retryAt: subject.runtime.now() - 1 })
      assert.deepEqual(await store.held.blocked([lane]), [])
      assert.equal((await store.held.claim('o', ['h'], 10)).length, 2)
      assert.equal((await store.transactions.commit({ ...ENTRY, delivery: arrival('k') }, unit())).kind, 'committed')
    },
  },
  {
    name: 'a head that comes back without order leaves its lane: what is behind goes on',
    async run(subject) {
      const store = await subject.open()
      const [first, second] = [arrival('k'), arrival('k')]
      await store.held.hold(first, { ...failure, retryAt: subject.runtime.now() - 1 })
      await store.held.join([second])
      const [row] = await store.held.claim('o', ['h'], 1)
      await store.held.hold({ ...first, ordered: false, heldId: row?.heldId ?? 0 }, failure)
      const next = await store.held.claim('o', ['h'], 10)
      assert.deepEqual(
        next.map(({ messageId }) => messageId),
        [second.envelope.id],
      )
      assert.equal((await store.deadLetters.list()).length, 1)
    },
  },
  {
    name: 'a dead letter holds its lane, and no other',
    async run(subject) {
      const store = await subject.open()
      await store.held.hold(arrival('k'), failure)
      await store.held.join([arrival('k')])
      await store.held.hold(arrival('k2'), { ...failure, retryAt: subject.runtime.now() - 1 })
      const blocked = await store.held.blocked([lane, { handler: 'h', key: 'k2' }, { handler: 'h2', key: 'k' }])
      assert.deepEqual(blocked, [lane, { handler: 'h', key: 'k2' }])
      const claimed = await store.held.claim('o', ['h'], 10)
      assert.equal(claimed.length, 1)
      assert.equal(JSON.parse(claimed[0]?.body ?? '{}').key, 'k2')
      const held = await store.transactions.commit({ ...ENTRY, delivery: arrival('k') }, unit())
      assert.equal(held.kind, 'held')
    },
  },
  {
    name: 'released heads can be claimed again, and were not redelivered',
    async run(subject) {
      const store = await subject.open()
      await store.held.hold(arrival('k'), { ...failure, retryAt: subject.runtime.now() - 1 })
      const [row] = await store.held.claim('o', ['h'], 10)
      await store.held.release('zombie', [row?.heldId ?? 0])
      assert.deepEqual(await store.held.claim('o', ['h'], 10), [])
      await store.held.release('o', [row?.heldId ?? 0])
      const [again] = await store.held.claim('o2', ['h'], 10)
      assert.deepEqual([again?.heldId, again?.redelivered ?? false], [row?.heldId, false])
    },
  },
  {
    name: 'claims lapse with the store they were made through, and count as lost',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      await one.held.hold(arrival('k'), { ...failure, retryAt: subject.runtime.now() - 1 })
      assert.equal((await one.held.claim('one', ['h'], 10)).length, 1)
      assert.equal((await two.held.claim('two', ['h'], 10)).length, 0)
      await one.close()
      const [row] = await two.held.claim('two', ['h'], 10)
      assert.equal(row?.redelivered, true, 'nobody gave it back, so it may have begun')
    },
  },
  {
    name: 'claims of a process that died lapse, once it is silent for long enough',
    async run(subject) {
      const dying = subject.process()
      const [one, two] = [await subject.open({}, dying), await subject.open()]
      await one.held.hold(arrival('k'), { ...failure, retryAt: subject.runtime.now() - 1 })
      assert.equal((await one.held.claim('one', ['h'], 10)).length, 1)
      dying.freeze()
      let row: HeldRow | undefined
      await untilSilent(subject, async () => {
        row = (await two.held.claim('two', ['h'], 10))[0]
        return row !== undefined
      })
      assert.equal(row?.redelivered, true)
    },
  },
  {
    name: 'a row that another process has claimed since is lost for the first, whether it succeeds or fails',
    async run(subject) {
      const dying = subject.process()
      const [one, two] = [await subject.open({}, dying), await subject.open()]
      const delivery = arrival('k')
      await one.held.hold(delivery, { ...failure, retryAt: subject.runtime.now() - 1 })
      const [row] = await one.held.claim('one', ['h'], 10)
      const claimed = { ...delivery, heldId: row?.heldId ?? 0 }
      dying.freeze()
      await untilSilent(subject, async () => (await two.held.claim('two', ['h'], 10)).length === 1)
      dying.thaw()
      await one.held.hold(claimed, failure)
      assert.deepEqual(await two.deadLetters.list(), [], 'the zombie gives up nothing')
      assert.equal(await handle(one, delivery, claimed.heldId), 'lost')
      assert.equal(await handle(two, delivery, claimed.heldId), 'committed')
      assert.deepEqual(await two.held.counts(), [])
    },
  },
  {
    name: 'holding settles the queue row, in one transaction; a row that is not ours stays, and nothing is held',
    async run(subject) {
      const store = await subject.open()
      await store.transactions.commit(ENTRY, unit([], [order('a'), order('b')]))
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [a, b] = await inbound.came(2)
      assert.ok(a?.settlement && b?.settlement)
      await store.held.hold(arrival('a', { settlement: a.settlement }), failure)
      const foreign = { queueId: b.settlement.queueId, owner: 'somebody else' }
      await store.held.hold(arrival('b', { settlement: foreign }), failure)
      assert.equal((await store.deadLetters.list()).length, 1)
      const stats = (await store.broker.stats()).find(({ channel }) => channel === 'work')
      assert.equal(stats?.messages, 1)
    },
  },
  {
    name: 'a message has one row per handler, however often it is held',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.held.hold(delivery, { ...failure, retryAt: subject.runtime.now() + 60_000 })
      await store.held.hold(delivery, failure)
      await store.held.join([delivery])
      const { channel } = delivery
      assert.deepEqual(await store.held.counts(), [{ handler: 'h', channel, state: 'retry', count: 1 }])
    },
  },
  {
    name: 'what no handler was found for is counted where it came from',
    async run(subject) {
      const store = await subject.open()
      await store.held.refuse({ channel: 'work', body: 'no message', code: 'MESSAGE_MALFORMED', reason: 'not JSON' })
      assert.deepEqual(await store.held.counts(), [{ handler: null, channel: 'work', state: 'dead', count: 1 }])
    },
  },
  {
    name: 'a message that was handled meanwhile is not held',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.transactions.commit({ ...ENTRY, delivery }, unit())
      await store.held.hold(delivery, failure)
      assert.deepEqual(await store.held.counts(), [])
    },
  },
  {
    name: 'holding a row that is gone does nothing',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.held.hold(delivery, { ...failure, retryAt: subject.runtime.now() - 1 })
      const [row] = await store.held.claim('o', ['h'], 1)
      await handle(store, delivery, row?.heldId ?? 0)
      await store.held.hold({ ...delivery, heldId: row?.heldId ?? 0 }, failure)
      assert.deepEqual(await store.held.counts(), [])
    },
  },
  {
    name: 'done removes heads of their owner: what a batch has handled',
    async run(subject) {
      const store = await subject.open()
      await store.held.hold(arrival('k'), { ...failure, retryAt: subject.runtime.now() - 1 })
      await store.held.join([arrival('k')])
      const [row] = await store.held.claim('o', ['h'], 10)
      await store.held.done('zombie', [row?.heldId ?? 0])
      assert.equal((await store.held.blocked([lane])).length, 1)
      await store.held.done('o', [row?.heldId ?? 0])
      const [next] = await store.held.claim('o', ['h'], 10)
      assert.notEqual(next?.heldId, row?.heldId)
      await store.held.done('o', [next?.heldId ?? 0])
      assert.deepEqual(await store.held.blocked([lane]), [])
    },
  },
  {
    name: 'counts are by handler and state',
    async run(subject) {
      const store = await subject.open()
      await store.held.hold(arrival('a'), { ...failure, retryAt: subject.runtime.now() + 1_000 })
      await store.held.hold(arrival('b'), failure)
      await store.held.join([arrival('a'), arrival('b')])
      await store.held.hold(arrival('a', { handler: 'h2' }), failure)
      const counts = (await store.held.counts()).map(({ handler, state, count }) => `${handler} ${state} ${count}`)
      assert.deepEqual(counts.toSorted(), ['h dead 1', 'h retry 1', 'h waiting 2', 'h2 dead 1'])
    },
  },
]
