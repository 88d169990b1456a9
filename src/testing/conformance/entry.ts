import assert from 'node:assert/strict'
import { type Answer, type Claim, isObverseError, type Placed, refuse } from 'obverse'
import type { Case } from './case.ts'
import { arrival, fact, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { append, ENTRY, placedOf, unit } from './units.ts'
import { Inbound } from './wait.ts'

const claim: Claim = { principal: 'ann', command: 'do', key: 'k1', fingerprint: 'f1' }
const answer = (events: readonly Placed[]): Answer => ({ outcome: 'done', body: `[${events.length}]`, token: 't' })
const refused: Answer = { outcome: 'refused', body: '{"code":"REFUSED"}', token: '' }
const failure = { attempts: 1, code: 'E', reason: 'r', detail: 'd' }

/** Contract of `Entry`: what is checked before a work, and what is settled with its unit. */
export const entryCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a delivery is handled once per handler: the second copy is a duplicate and does nothing',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      const handle = (handler: string) =>
        store.transactions.commit({ ...ENTRY, delivery: { ...delivery, handler } }, unit([fact('a')]))
      assert.equal((await handle('h')).kind, 'committed')
      assert.deepEqual(await handle('h'), { kind: 'duplicate' })
      assert.equal((await handle('h2')).kind, 'committed', 'the mark is of one handler')
      assert.equal((await store.events.load('a')).version, 2)
      assert.equal(await store.inbox.seen(delivery.envelope.id, 'h'), true)
      assert.equal(await store.inbox.seen(delivery.envelope.id, 'h3'), false)
    },
  },
  {
    name: 'two copies of a delivery at once: one commits',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const entry = { ...ENTRY, delivery: arrival('k') }
      const ends = await Promise.all(
        [one, two, one].map((store) => store.transactions.transact(entry, async () => unit([fact('a')]))),
      )
      assert.deepEqual(ends.map(({ kind }) => kind).toSorted(), ['committed', 'duplicate', 'duplicate'])
      assert.equal((await one.events.load('a')).version, 1)
    },
  },
  {
    name: 'a handled delivery takes its queue row and its attempts with it',
    async run(subject) {
      const store = await subject.open()
      await store.transactions.commit(ENTRY, unit([fact('a', 1, { channels: ['work'] })]))
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [came] = await inbound.came(1)
      assert.ok(came?.settlement, 'a store that is its own queue settles in its transactions')
      const delivery = arrival('a', { settlement: came.settlement })
      await store.inbox.attempt(delivery.envelope.id, 'h')
      await store.transactions.commit({ ...ENTRY, delivery }, unit())
      const [stats] = (await store.broker.stats()).filter(({ channel }) => channel === 'work')
      assert.equal(stats?.messages ?? 0, 0)
      assert.equal(await store.inbox.attempt(delivery.envelope.id, 'h'), 1)
      await came.ack()
    },
  },
  {
    name: 'a queue row that is not ours is lost: nothing is done',
    async run(subject) {
      const store = await subject.open()
      await store.transactions.commit(ENTRY, unit([fact('a', 1, { channels: ['work'] })]))
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [came] = await inbound.came(1)
      const settlement = { queueId: came?.settlement?.queueId ?? 0, owner: 'somebody else' }
      const delivery = arrival('a', { settlement })
      const outcome = await store.transactions.commit({ ...ENTRY, delivery }, unit([fact('b')]))
      assert.deepEqual(outcome, { kind: 'lost' })
      assert.equal((await store.events.load('b')).version, 0)
      assert.equal(await store.inbox.seen(delivery.envelope.id, 'h'), false)
      const [stats] = await store.broker.stats()
      assert.equal(stats?.messages, 1)
    },
  },
  {
    name: 'a message whose lane has held rows joins them and is settled',
    async run(subject) {
      const store = await subject.open()
      await store.held.hold(arrival('k'), { ...failure, retryAt: subject.runtime.now() + 60_000 })
      await store.broker.declare([{ name: 'work' }])
      await store.broker.put('work', '{}')
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [came] = await inbound.came(1)
      assert.ok(came?.settlement)
      const later = arrival('k', { settlement: came.settlement })
      const outcome = await store.transactions.commit({ ...ENTRY, delivery: later }, unit([fact('a')]))
      assert.deepEqual(outcome, { kind: 'held' })
      assert.equal((await store.events.load('a')).version, 0)
      assert.equal((await store.broker.stats()).find(({ channel }) => channel === 'work')?.messages, 0)
      assert.deepEqual(
        await store.deadLetters.list({ state: 'waiting' }).then((rows) => rows.map((r) => r.messageId)),
        [later.envelope.id],
      )
    },
  },
  {
    name: 'a held lane is one of a handler and a key: other keys, other handlers, unordered ones and no key go on',
    async run(subject) {
      const store = await subject.open()
      await store.held.hold(arrival('k'), failure)
      const others = [
        arrival('other'),
        arrival('k', { handler: 'h2' }),
        arrival('k', { ordered: false }),
        arrival(null),
      ]
      for (const delivery of others) {
        const { kind } = await store.transactions.commit({ ...ENTRY, delivery }, unit())
        assert.equal(kind, 'committed')
      }
    },
  },
  {
    name: 'the head of a lane runs, and its row goes in the transaction that handles it',
    async run(subject) {
      const store = await subject.open()
      const head = arrival('k')
      await store.held.hold(head, { ...failure, retryAt: subject.runtime.now() - 1 })
      const [claimed] = await store.held.claim('o', ['h'], 10)
      assert.equal(claimed?.messageId, head.envelope.id)
      const entry = { ...ENTRY, delivery: { ...head, heldId: claimed?.heldId ?? 0, attempts: 1 } }
      assert.equal((await store.transactions.commit(entry, unit([fact('a')]))).kind, 'committed')
      assert.deepEqual(await store.held.blocked([{ handler: 'h', key: 'k' }]), [])
      assert.deepEqual(await store.held.counts(), [])
      assert.deepEqual(await store.transactions.commit(entry, unit([fact('a')])), { kind: 'lost' })
      assert.equal((await store.events.load('a')).version, 1)
    },
  },
  {
    name: 'a second copy of a message that is held or given up does not run, ordered or not',
    async run(subject) {
      const store = await subject.open()
      const ordered = arrival('k')
      const loose = arrival(null, { ordered: false })
      await store.held.hold(ordered, { ...failure, retryAt: subject.runtime.now() + 60_000 })
      await store.held.hold(loose, failure)
      for (const delivery of [ordered, loose]) {
        const outcome = await store.transactions.commit({ ...ENTRY, delivery }, unit([fact('a')]))
        assert.deepEqual(outcome, { kind: 'held' })
      }
      const [dead] = await store.deadLetters.list()
      await store.deadLetters.skip(dead?.id ?? 0)
      const again = await store.transactions.commit({ ...ENTRY, delivery: loose }, unit([fact('a')]))
      assert.deepEqual(again, { kind: 'duplicate' }, 'given up for good')
      assert.equal(await store.log.head(), 0)
      const all = (await store.held.counts()).reduce((sum, { count }) => sum + count, 0)
      assert.equal(all, 2, 'no second row')
    },
  },
  {
    name: 'enter says how a delivery ends without its work, and writes nothing when it may run',
    async run(subject) {
      const store = await subject.open()
      const entry = { ...ENTRY, delivery: arrival('k') }
      assert.equal(await store.transactions.enter(entry), undefined)
      assert.equal(await store.inbox.seen(entry.delivery.envelope.id, 'h'), false)
      await store.transactions.commit(entry, unit())
      assert.deepEqual(await store.transactions.enter(entry), { kind: 'duplicate' })
      await store.held.hold(arrival('k'), failure)
      const next = { ...ENTRY, delivery: arrival('k') }
      assert.deepEqual(await store.transactions.enter(next), { kind: 'held' })
      const [claimEntry] = [{ ...ENTRY, claim }]
      assert.equal(await store.transactions.enter(claimEntry), undefined)
      await store.transactions.commit(claimEntry, unit([], [], { answer }))
      assert.equal((await store.transactions.enter(claimEntry))?.kind, 'replayed')
    },
  },
  {
    name: 'a unit that fails leaves its delivery as it was: unmarked, unsettled',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      const stale = unit([fact('a')], [], { expected: new Map([['a', 5]]) })
      await assert.rejects(store.transactions.commit({ ...ENTRY, delivery }, stale))
      assert.equal(await store.inbox.seen(delivery.envelope.id, 'h'), false)
      assert.equal((await store.transactions.commit({ ...ENTRY, delivery }, unit())).kind, 'committed')
    },
  },
  {
    name: 'an idempotency key is answered once; its repeats get that answer and do nothing',
    async run(subject) {
      const store = await subject.open()
      const send = () => store.transactions.commit({ ...ENTRY, claim }, unit([fact('a'), fact('a')], [], { answer }))
      assert.equal(placedOf(await send()).length, 2)
      const replayed = { kind: 'replayed', answer: { outcome: 'done', body: '[2]', token: 't' } }
      assert.deepEqual(await send(), replayed)
      const decided = store.transactions.decide({ ...ENTRY, claim }, { key: 'a', types: [] }, () => unit([fact('a')]))
      assert.deepEqual(await decided, replayed)
      assert.equal((await store.events.load('a')).version, 2)
    },
  },
  {
    name: 'an idempotency key is scoped by principal and command, and held to its body',
    async run(subject) {
      const store = await subject.open()
      const send = (more: Partial<Claim>) =>
        store.transactions.commit({ ...ENTRY, claim: { ...claim, ...more } }, unit([fact('a')], [], { answer }))
      for (const more of [{}, { principal: 'bob' }, { command: 'undo' }, { key: 'k2' }]) {
        assert.equal((await send(more)).kind, 'committed', JSON.stringify(more))
      }
      await assert.rejects(send({ fingerprint: 'f2' }), (error) => isObverseError(error, 'IDEMPOTENCY_MISMATCH'))
      assert.equal((await store.events.load('a')).version, 4)
    },
  },
  {
    name: 'concurrent twins: one commits, the other gets its answer',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const send = (store: typeof one) =>
        store.transactions.transact({ ...ENTRY, claim }, async () => unit([fact('a')], [], { answer }))
      const ends = await Promise.all([send(one), send(two), send(one)])
      assert.deepEqual(ends.map(({ kind }) => kind).toSorted(), ['committed', 'replayed', 'replayed'])
      assert.equal((await one.events.load('a')).version, 1)
    },
  },
  {
    name: 'a refusal is kept with the claim, and thrown; nothing else is kept',
    async run(subject) {
      const store = await subject.open()
      const no = refuse('not today')
      const refusal = (error: unknown) => (error === no ? refused : undefined)
      const deciding = store.transactions.decide({ ...ENTRY, claim, refusal }, { key: 'a', types: [] }, () => {
        throw no
      })
      await assert.rejects(deciding, (error) => error === no)
      const working = store.transactions.transact({ ...ENTRY, claim: { ...claim, key: 'k2' }, refusal }, async () => {
        throw no
      })
      await assert.rejects(working, (error) => error === no)
      for (const key of ['k1', 'k2']) {
        const entry = { ...ENTRY, claim: { ...claim, key } }
        assert.deepEqual(await store.transactions.commit(entry, unit([fact('a')])), {
          kind: 'replayed',
          answer: refused,
        })
      }
      assert.equal(await store.log.head(), 0)
    },
  },
  {
    name: 'a failure that is not a refusal keeps no claim: the next try may succeed',
    async run(subject) {
      const store = await subject.open()
      const entry = { ...ENTRY, claim, refusal: () => undefined }
      const failing = store.transactions.decide(entry, { key: 'a', types: [] }, () => {
        throw new Error('boom')
      })
      await assert.rejects(failing, /boom/)
      await append(store, fact('a'))
      const stale = unit([fact('a')], [], { answer, expected: new Map([['a', 0]]) })
      await assert.rejects(store.transactions.commit(entry, stale), (error) => isObverseError(error, 'CONFLICT'))
      assert.equal((await store.transactions.commit(entry, unit([fact('a')], [], { answer }))).kind, 'committed')
    },
  },
  {
    name: 'state, events, messages, mark, status and answer are there together, or not at all',
    async run(subject) {
      const crash = new Error('the process ended')
      let crashAt = ''
      const reached = new Set<string>()
      const reach = (point: string) => {
        reached.add(point)
        if (point === crashAt) throw crash
      }
      const store = await subject.open({ reach })
      const delivery = arrival('k')
      const message = order('m')
      const entry = { ...ENTRY, delivery, claim }
      const run = () =>
        store.transactions.commit(entry, unit([fact('a', 1, { channels: ['work'] })], [message], { answer }))
      const traces = async () => ({
        event: (await store.events.load('a')).version === 1,
        rows: (await store.broker.peek('work', 10)).length === 2,
        mark: await store.inbox.seen(delivery.envelope.id, 'h'),
        status: (await store.statuses.get(message.message.id))?.state === 'pending',
      })
      crashAt = 'commit.before'
      await assert.rejects(run(), (error) => error === crash)
      crashAt = ''
      assert.deepEqual(await traces(), { event: false, rows: false, mark: false, status: false }, 'before the commit')
      crashAt = 'commit.after'
      await assert.rejects(run(), (error) => error === crash)
      crashAt = ''
      assert.deepEqual(await traces(), { event: true, rows: true, mark: true, status: true }, 'after the commit')
      assert.ok(reached.has('commit.before') && reached.has('commit.after'))
      assert.equal((await run()).kind, 'duplicate')
    },
  },
]
