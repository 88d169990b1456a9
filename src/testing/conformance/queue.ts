import assert from 'node:assert/strict'
import { readEnvelope } from 'obverse'
import type { Case } from './case.ts'
import { fact, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, unit } from './units.ts'
import { aWhile, Inbound, until, untilSilent } from './wait.ts'

const isNotHot = ({ body }: { readonly body: string }) => readEnvelope(body).key !== 'hot'
const onWork = { channels: ['work'] }

/** Contract of a store that is its own queue: what commits adds to it, and whose its rows are. */
export const queueCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a commit is delivered at once, complete, to each channel of its messages',
    async run(subject) {
      const store = await subject.open()
      assert.equal(store.broker.sharesStore, true)
      const [work, other] = [new Inbound(), new Inbound()]
      await store.broker.subscribe('work', work.options)
      await store.broker.subscribe('other', other.options)
      const sent = fact('a', 2, { channels: ['work', 'other'] })
      await store.transactions.commit(ENTRY, unit([fact('a', 1), sent], [order('c', 3)]))
      const [event, command] = (await work.came(2)).map(({ body }) => readEnvelope(body))
      assert.deepEqual([event?.id, event?.seq, event?.data], [sent.id, 2, { n: 2 }])
      assert.deepEqual([command?.kind, command?.data], ['command', { n: 3 }])
      assert.equal(readEnvelope((await other.came(1))[0]?.body ?? '').id, sent.id)
    },
  },
  {
    name: 'a commit of one process is delivered to another, soon',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const inbound = new Inbound()
      await two.broker.subscribe('work', inbound.options)
      let woken = 0
      two.onCommit(() => {
        woken += 1
      })
      await aWhile(20)
      await one.transactions.commit(ENTRY, unit([fact('a', 1, onWork)]))
      await inbound.came(1)
      await until('the other process to be woken', () => woken > 0)
    },
  },
  {
    name: 'a listener hears of commits until it is taken away',
    async run(subject) {
      const store = await subject.open()
      let heard = 0
      const stop = store.onCommit(() => {
        heard += 1
      })
      await store.transactions.commit(ENTRY, unit([fact('a')]))
      await until('the listener to be called', () => heard > 0)
      await aWhile()
      stop()
      const before = heard
      await store.transactions.commit(ENTRY, unit([fact('a')]))
      await aWhile()
      assert.equal(heard, before)
    },
  },
  {
    name: 'messages of a key are delivered in the order of their commits',
    async run(subject) {
      const store = await subject.open()
      await Promise.all(
        Array.from({ length: 60 }, (_, n) => store.transactions.commit(ENTRY, unit([fact(`k${n % 3}`, n, onWork)]))),
      )
      const inbound = new Inbound(1_000)
      await store.broker.subscribe('work', inbound.options)
      const events = (await inbound.came(60)).map(({ body }) => readEnvelope(body))
      for (const key of ['k0', 'k1', 'k2']) {
        const seqs = events.filter((event) => event.key === key).map(({ seq }) => seq)
        assert.deepEqual(
          seqs,
          Array.from({ length: 20 }, (_, n) => n + 1),
        )
      }
    },
  },
  {
    name: 'a busy key leaves room for the others: they are delivered however many of its messages are before them',
    async run(subject) {
      const store = await subject.open()
      const hot = Array.from({ length: 500 }, (_, n) => fact('hot', n, onWork))
      const others = ['a', 'b', 'c'].map((key) => fact(key, 1, onWork))
      await store.transactions.commit(ENTRY, unit([...hot, ...others], [order(null, 1)]))
      const inbound = new Inbound(100)
      const keys = () => inbound.bodies.map((body) => readEnvelope(body).key)
      await store.broker.subscribe('work', inbound.options)
      await until('the other keys', () => ['a', 'b', 'c', null].every((key) => keys().includes(key)))
      assert.ok(keys().filter((key) => key === 'hot').length < 100)
      const settle = async () => {
        for (const { ack } of inbound.all.splice(0)) await ack()
      }
      let seq = 0
      while (seq < 500) {
        await until('the next messages of the busy key', () => inbound.all.length > 0)
        for (const body of inbound.bodies) {
          const envelope = readEnvelope(body)
          if (envelope.key !== 'hot') continue
          seq += 1
          assert.equal(envelope.seq, seq)
        }
        await settle()
      }
    },
  },
  {
    name: 'a busy key that another process is at leaves the keys behind it to the next',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const hot = Array.from({ length: 1_000 }, (_, n) => fact('hot', n, onWork))
      await one.transactions.commit(ENTRY, unit(hot))
      const [first, second] = [new Inbound(10), new Inbound(10)]
      await one.broker.subscribe('work', first.options)
      await until('the busy key', () => first.all.length > 0)
      await two.broker.subscribe('work', second.options)
      await one.transactions.commit(ENTRY, unit([fact('cold', 1, onWork), fact('cool', 1, onWork)]))
      await until('the others', () => second.all.length + first.all.filter(isNotHot).length === 2)
      assert.ok(second.all.every(isNotHot))
    },
  },
  {
    name: 'a delayed message is delivered when it is due; until then it is not counted and holds up nothing',
    async run(subject) {
      const store = await subject.open()
      const due = subject.runtime.now() + 60_000
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      await store.transactions.commit(ENTRY, unit([], [order('k', 1, { due }), order('k', 2)]))
      await inbound.came(1)
      assert.deepEqual(readEnvelope(inbound.bodies[0] ?? '').data, { n: 2 })
      await inbound.all[0]?.ack()
      const messages = async () => (await store.broker.stats()).find(({ channel }) => channel === 'work')?.messages
      await until('the acknowledgement', async () => (await messages()) === 0)
      assert.deepEqual(await store.broker.peek('work', 10), [])
      subject.runtime.skip(60_001)
      await inbound.came(2)
      assert.deepEqual(readEnvelope(inbound.bodies[1] ?? '').data, { n: 1 })
    },
  },
  {
    name: 'a settlement names its row and its owner; who lost it gets `lost`, and the row goes to the next',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      await one.transactions.commit(ENTRY, unit([fact('a', 1, onWork)]))
      const first = new Inbound()
      const subscription = await one.broker.subscribe('work', first.options)
      const [taken] = await first.came(1)
      await subscription.close()
      const second = new Inbound()
      await two.broker.subscribe('work', second.options)
      const [again] = await second.came(1)
      assert.equal(again?.redelivered, true)
      assert.equal(again?.settlement?.queueId, taken?.settlement?.queueId)
      assert.notEqual(again?.settlement?.owner, taken?.settlement?.owner)
      const entry = (settlement: typeof taken) => {
        const envelope = readEnvelope(settlement?.body ?? '')
        const delivery = {
          envelope,
          body: settlement?.body ?? '',
          channel: 'work',
          handler: 'h',
          ordered: true,
          attempts: 0,
        }
        return {
          ...ENTRY,
          delivery: { ...delivery, ...(settlement?.settlement && { settlement: settlement.settlement }) },
        }
      }
      assert.deepEqual(await one.transactions.commit(entry(taken), unit([fact('x')])), { kind: 'lost' })
      assert.equal((await two.transactions.commit(entry(again), unit([fact('x')]))).kind, 'committed')
      assert.equal((await two.events.load('x')).version, 1)
    },
  },
  {
    name: 'rows of a process that died are delivered to another, once it is silent for long enough',
    async run(subject) {
      const dying = subject.process()
      const [one, two] = [await subject.open({}, dying), await subject.open()]
      await one.transactions.commit(ENTRY, unit([fact('a', 1, onWork), fact('a', 2, onWork)]))
      const first = new Inbound(1)
      const subscription = await one.broker.subscribe('work', first.options)
      await first.came(1)
      subscription.pause() // a dead process takes nothing more
      dying.freeze()
      const second = new Inbound()
      await two.broker.subscribe('work', second.options)
      await aWhile()
      assert.equal(second.all.length, 0, 'its key is with the other, which may yet live')
      await untilSilent(subject, () => second.all.length > 0)
      const came = await second.came(2)
      assert.deepEqual(
        came.map(({ redelivered }) => redelivered),
        [true, false],
      )
    },
  },
]
