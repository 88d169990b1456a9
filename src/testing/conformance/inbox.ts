import assert from 'node:assert/strict'
import type { Delivery } from 'obverse'
import type { Case } from './case.ts'
import { arrival, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, unit } from './units.ts'
import { Inbound } from './wait.ts'

type Five = [Delivery, Delivery, Delivery, Delivery, Delivery]

/** Contract of `Inbox`. */
export const inboxCases: readonly Case<StoreSubject>[] = [
  {
    name: 'attempts are counted by message and handler, across processes',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      assert.equal(await one.inbox.attempt('m', 'h'), 1)
      assert.equal(await two.inbox.attempt('m', 'h'), 2)
      assert.equal(await one.inbox.attempt('m', 'h2'), 1)
      assert.equal(await one.inbox.attempt('m2', 'h'), 1)
      assert.deepEqual([await two.inbox.attempts('m', 'h'), await two.inbox.attempts('m3', 'h')], [2, 0])
      await one.close()
      assert.equal(await two.inbox.attempt('m', 'h'), 3)
    },
  },
  {
    name: 'attempts end when the message is handled, held, put behind another, given up or forgiven',
    async run(subject) {
      const store = await subject.open()
      const [handled, held, dead, forgiven, behind] = ['a', 'b', 'c', 'd', 'b'].map((key) => arrival(key)) as Five
      const ids = [handled, held, dead, forgiven, behind].map(({ envelope }) => envelope.id)
      for (const id of ids) await store.inbox.attempt(id, 'h')
      const failure = { attempts: 1, code: 'E', reason: 'r', detail: '' }
      await store.transactions.commit({ ...ENTRY, delivery: handled }, unit())
      await store.held.hold(held, { ...failure, retryAt: subject.runtime.now() + 1_000 })
      await store.held.hold(dead, failure)
      await store.held.join([behind])
      await store.inbox.forgive(forgiven.envelope.id, 'h')
      for (const id of ids) assert.equal(await store.inbox.attempt(id, 'h'), 1)
    },
  },
  {
    name: 'attempts of a message that was handled are not counted: whoever is late would leave them behind',
    async run(subject) {
      const store = await subject.open()
      const handled = arrival('a')
      await store.transactions.commit({ ...ENTRY, delivery: handled }, unit())
      for (let late = 0; late < 2; late += 1) assert.equal(await store.inbox.attempt(handled.envelope.id, 'h'), 1)
      assert.equal(await store.inbox.attempt(handled.envelope.id, 'h2'), 1)
      assert.equal(await store.inbox.attempt(handled.envelope.id, 'h2'), 2)
    },
  },
  {
    name: 'settle takes rows of their owner, in one batch, and no others',
    async run(subject) {
      const store = await subject.open()
      await store.transactions.commit(ENTRY, unit([], [order('a'), order('b'), order('c')]))
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [a, b, c] = (await inbound.came(3)).map(({ settlement }) => settlement ?? { queueId: 0, owner: '' })
      await store.inbox.settle([a ?? never(), b ?? never(), { queueId: c?.queueId ?? 0, owner: 'somebody else' }])
      await store.inbox.settle([a ?? never()])
      await store.inbox.settle([])
      const stats = (await store.broker.stats()).find(({ channel }) => channel === 'work')
      assert.equal(stats?.messages, 1)
    },
  },
  {
    name: 'purge forgets marks and answers that are old enough, so many at a time',
    async run(subject) {
      const store = await subject.open()
      const claim = { principal: 'p', command: 'c', key: 'k', fingerprint: 'f' }
      const answer = () => ({ outcome: 'done' as const, body: '', token: '' })
      const old = [arrival('a'), arrival('b')]
      for (const delivery of old) await store.transactions.commit({ ...ENTRY, delivery }, unit())
      await store.transactions.commit({ ...ENTRY, claim }, unit([], [], { answer }))
      const before = subject.runtime.now() + 5_000
      subject.runtime.skip(10_000)
      const young = arrival('c')
      await store.transactions.commit({ ...ENTRY, delivery: young }, unit())
      assert.equal(await store.inbox.purge(before, 1), 1)
      assert.equal(await store.inbox.purge(before, 100), 2)
      assert.equal(await store.inbox.purge(before, 100), 0)
      for (const { envelope } of old) assert.equal(await store.inbox.seen(envelope.id, 'h'), false)
      assert.equal(await store.inbox.seen(young.envelope.id, 'h'), true)
      assert.equal((await store.transactions.commit({ ...ENTRY, claim }, unit([], [], { answer }))).kind, 'committed')
    },
  },
]

function never(): never {
  throw new Error('a delivery of a store that is its own queue has a settlement')
}
