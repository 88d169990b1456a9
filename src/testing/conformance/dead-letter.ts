import assert from 'node:assert/strict'
import { bodyOf, isObverseError, type OpenStore } from 'obverse'
import type { Case } from './case.ts'
import { arrival, order } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { ENTRY, unit } from './units.ts'
import { Inbound } from './wait.ts'

const failure = { attempts: 4, code: 'BOOM', reason: 'it broke', detail: 'at line 1' }

async function onlyOne(store: OpenStore): Promise<number> {
  const all = await store.deadLetters.list()
  assert.equal(all.length, 1)
  return all[0]?.id ?? 0
}

/** Contract of `DeadLetters`. */
export const deadLetterCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a dead letter tells what it was and why',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.held.hold(delivery, failure)
      await store.held.join([arrival('k'), arrival('k')])
      const id = await onlyOne(store)
      const row = await store.deadLetters.get(id)
      assert.ok(row)
      const { messageId, type, channel, handler, key, state, attempts, code, reason, detail, behind, body, at } = row
      assert.deepEqual(
        { messageId, type, channel, handler, key, state, attempts, code, reason, detail, behind, body },
        {
          messageId: delivery.envelope.id,
          type: delivery.envelope.type,
          channel: 'work',
          handler: 'h',
          key: 'k',
          state: 'dead',
          attempts: 4,
          code: 'BOOM',
          reason: 'it broke',
          detail: 'at line 1',
          behind: 2,
          body: delivery.body,
        },
      )
      assert.ok(Math.abs(Date.parse(at) - subject.runtime.now()) < 60_000)
      assert.equal(await store.deadLetters.get(id + 1_000), undefined)
    },
  },
  {
    name: 'the list is in order, filtered, and paged by id',
    async run(subject) {
      const store = await subject.open()
      for (const key of ['a', 'b', 'c']) await store.held.hold(arrival(key), failure)
      const odd = arrival('a', { handler: 'h2', channel: 'other' })
      await store.held.hold(odd, { ...failure, code: 'ODD' })
      await store.held.hold(arrival('d'), { ...failure, retryAt: subject.runtime.now() + 1_000 })
      const all = await store.deadLetters.list()
      assert.deepEqual(
        all.map(({ key }) => key),
        ['a', 'b', 'c', 'a'],
      )
      const [first, second] = [
        await store.deadLetters.list({ limit: 2 }),
        await store.deadLetters.list({ limit: 2, after: all[1]?.id ?? 0 }),
      ]
      assert.deepEqual([...first, ...second], all)
      const filters = [
        [{ handler: 'h2' }, 1],
        [{ channel: 'other' }, 1],
        [{ key: 'a' }, 2],
        [{ code: 'ODD' }, 1],
        [{ messageId: odd.envelope.id }, 1],
        [{ key: 'a', code: 'BOOM' }, 1],
        [{ state: 'retry' }, 1],
        [{ state: 'skipped' }, 0],
        [{ handler: 'nobody' }, 0],
      ] as const
      for (const [filter, count] of filters) {
        assert.equal((await store.deadLetters.list(filter)).length, count, JSON.stringify(filter))
      }
    },
  },
  {
    name: 'retry runs it again at once, in its place, with its id, from attempt zero',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.held.hold(delivery, failure)
      await store.held.join([arrival('k')])
      const id = await onlyOne(store)
      assert.equal(await store.deadLetters.retry(id), true)
      assert.equal(await store.deadLetters.retry(id), false, 'it is not dead any more')
      assert.equal(await store.deadLetters.retry(id + 1_000), false)
      const rows = await store.held.claim('o', ['h'], 10)
      assert.deepEqual(
        rows.map(({ heldId, messageId, attempts, body }) => [heldId, messageId, attempts, body]),
        [[id, delivery.envelope.id, 0, delivery.body]],
      )
    },
  },
  {
    name: 'edit runs it again with another body under the same id, and keeps the first',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.held.hold(delivery, failure)
      const id = await onlyOne(store)
      const edited = (n: number) => JSON.stringify({ ...delivery.envelope, data: { n } })
      assert.equal(await store.deadLetters.edit(id, edited(7)), true)
      const [row] = await store.held.claim('o', ['h'], 10)
      assert.deepEqual([row?.body, row?.messageId], [edited(7), delivery.envelope.id])
      await store.held.hold({ ...delivery, heldId: id }, failure)
      assert.equal(await store.deadLetters.edit(id, edited(8)), true)
      const letter = await store.deadLetters.get(id)
      assert.deepEqual([letter?.body, letter?.originalBody], [edited(8), delivery.body])
    },
  },
  {
    name: 'edit refuses a body with another id',
    async run(subject) {
      const store = await subject.open()
      const delivery = arrival('k')
      await store.held.hold(delivery, failure)
      const id = await onlyOne(store)
      const editing = store.deadLetters.edit(id, JSON.stringify({ ...delivery.envelope, id: 'another' }))
      await assert.rejects(editing, (error) => isObverseError(error, 'VALIDATION_FAILED'))
      assert.equal((await store.deadLetters.get(id))?.state, 'dead')
    },
  },
  {
    name: 'a dead letter holds its own lane, whatever key its edited body has',
    async run(subject) {
      const store = await subject.open()
      for (const key of [null, 'other']) {
        const [delivery, next] = [arrival('k'), arrival('k')]
        await store.held.hold(delivery, failure)
        await store.held.join([next])
        const id = await onlyOne(store)
        const envelope = { ...delivery.envelope, key }
        assert.equal(await store.deadLetters.edit(id, JSON.stringify(envelope)), true)
        assert.deepEqual(
          (await store.held.claim('o', ['h'], 10)).map(({ heldId }) => heldId),
          [id],
        )
        await store.held.hold({ ...delivery, envelope, heldId: id }, failure)
        const letter = await store.deadLetters.get(id)
        assert.deepEqual([letter?.key, letter?.behind], ['k', 1])
        assert.deepEqual(await store.held.claim('o', ['h'], 10), [])
        await store.deadLetters.skip(id)
        const [row] = await store.held.claim('o', ['h'], 10)
        assert.equal(row?.messageId, next.envelope.id)
        await store.held.done('o', [row?.heldId ?? 0])
      }
    },
  },
  {
    name: 'skip gives up for good, on record, and the lane goes on',
    async run(subject) {
      const store = await subject.open()
      const [first, second] = [arrival('k'), arrival('k')]
      await store.held.hold(first, failure)
      await store.held.join([second])
      const id = await onlyOne(store)
      assert.equal(await store.deadLetters.skip(id, 'customer is gone'), true)
      assert.equal(await store.deadLetters.skip(id), false)
      const letter = await store.deadLetters.get(id)
      assert.deepEqual([letter?.state, letter?.note], ['skipped', 'customer is gone'])
      const rows = await store.held.claim('o', ['h'], 10)
      assert.deepEqual(
        rows.map(({ messageId }) => messageId),
        [second.envelope.id],
      )
      assert.equal(await store.deadLetters.retry(id), false)
    },
  },
  {
    name: 'a refused message is listed with its bytes, whatever they are, and blocks nobody',
    async run(subject) {
      const store = await subject.open()
      const bodies = ['not json', '', '\u0000\ud83d', '{"id":1}', '[]', 'null']
      for (const body of bodies) {
        await store.held.refuse({ channel: 'work', body, code: 'MESSAGE_MALFORMED', reason: 'bad' })
      }
      const all = await store.deadLetters.list({ channel: 'work' })
      assert.deepEqual(
        all.map(({ body, messageId, handler, state }) => [body.toWellFormed(), messageId, handler, state]),
        bodies.map((body) => [body.toWellFormed(), null, null, 'dead']),
      )
      assert.deepEqual(await store.held.claim('o', ['h'], 10), [])
    },
  },
  {
    name: 'a refused message whose id can be read has one row per channel, however often it comes',
    async run(subject) {
      const store = await subject.open()
      const refuse = (channel: string, messageId?: string) =>
        store.held.refuse({ channel, body: 'b', code: 'X', reason: 'x', ...(messageId && { messageId, type: 't' }) })
      for (const channel of ['work', 'work', 'other']) await refuse(channel, 'm1')
      await refuse('work')
      await refuse('work')
      const ids = (await store.deadLetters.list()).map(({ channel, messageId }) => `${channel} ${messageId}`)
      assert.deepEqual(ids, ['work m1', 'other m1', 'work null', 'work null'])
      const other = { channel: 'work', body: 'other bytes', code: 'X', reason: 'x', messageId: 'm1' }
      await store.held.refuse(other)
      await store.held.refuse(other)
      const bodies = (await store.deadLetters.list({ messageId: 'm1', channel: 'work' })).map(({ body }) => body)
      assert.deepEqual(bodies, ['b', 'other bytes'])
    },
  },
  {
    name: 'refusing settles the queue row',
    async run(subject) {
      const store = await subject.open()
      await store.broker.declare([{ name: 'work' }])
      await store.broker.put('work', 'not json')
      const inbound = new Inbound()
      await store.broker.subscribe('work', inbound.options)
      const [came] = await inbound.came(1)
      assert.ok(came?.settlement)
      await store.held.refuse({ channel: 'work', body: came.body, code: 'X', reason: 'x', settlement: came.settlement })
      const stats = (await store.broker.stats()).find(({ channel }) => channel === 'work')
      assert.deepEqual([stats?.messages, (await store.deadLetters.list()).length], [0, 1])
    },
  },
  {
    name: 'a refused message that is retried or edited goes to its channel again',
    async run(subject) {
      const store = await subject.open()
      await store.broker.declare([{ name: 'work' }])
      for (const body of ['{', 'x']) await store.held.refuse({ channel: 'work', body, code: 'X', reason: 'x' })
      const [first, second] = await store.deadLetters.list()
      assert.equal(await store.deadLetters.retry(first?.id ?? 0), true)
      assert.equal(await store.deadLetters.edit(second?.id ?? 0, '{"mended":true}'), true)
      assert.deepEqual(await store.broker.peek('work', 10), ['{', '{"mended":true}'])
      assert.deepEqual(await store.deadLetters.list(), [])
    },
  },
  {
    name: 'reclaim takes back what is known now, and leaves the rest',
    async run(subject) {
      const store = await subject.open()
      await store.broker.declare([{ name: 'work' }])
      const body = (type: string, schemaVersion = 1) =>
        JSON.stringify({
          id: `${type}${schemaVersion}`,
          type,
          kind: 'event',
          schemaVersion,
          time: 't',
          key: 'k',
          data: 1,
        })
      const refused = [
        [body('known'), 'MESSAGE_TYPE_UNKNOWN'],
        [body('strange'), 'MESSAGE_TYPE_UNKNOWN'],
        [body('known', 2), 'MESSAGE_VERSION_UNKNOWN'],
        [body('known', 3), 'MESSAGE_VERSION_UNKNOWN'],
        [body('known'), 'MESSAGE_INVALID'],
        ['not json', 'MESSAGE_MALFORMED'],
      ] as const
      for (const [text, code] of refused) await store.held.refuse({ channel: 'work', body: text, code, reason: '' })
      await store.held.refuse({ channel: 'other', body: body('known', 4), code: 'MESSAGE_TYPE_UNKNOWN', reason: '' })
      await store.held.hold(arrival('k'), failure)
      assert.equal(
        await store.deadLetters.reclaim(
          (type, version, channel) => type === 'known' && version <= 2 && channel === 'work',
        ),
        2,
      )
      assert.deepEqual(await store.broker.peek('work', 10), [refused[0][0], refused[2][0]])
      assert.equal((await store.deadLetters.list()).length, 6)
      assert.equal(await store.deadLetters.reclaim(() => false), 0)
      assert.equal(
        await store.deadLetters.reclaim((_type, version, channel) => version === 4 && channel === 'other'),
        1,
      )
    },
  },
  {
    name: 'with a broker elsewhere, what goes to its channel again goes through the outbox',
    async run(subject) {
      const store = await subject.open({ relayed: true })
      await store.held.refuse({ channel: 'work', body: 'not json', code: 'X', reason: 'x' })
      await store.deadLetters.retry(await onlyOne(store))
      const [row] = await store.outbox.claim('r', 10)
      assert.deepEqual([row?.channel, row?.body, row?.key], ['work', 'not json', null])
    },
  },
  {
    name: 'the status of a tracked command follows: failed when it dies, pending when it runs again, done at last',
    async run(subject) {
      const store = await subject.open()
      const { message } = order('k')
      await store.transactions.commit(ENTRY, unit([], [{ message, tracked: true }]))
      const delivery = arrival('k', { id: message.id })
      const state = async () => (await store.statuses.get(message.id))?.state
      await store.held.hold(delivery, { ...failure, tracked: true, retryAt: subject.runtime.now() - 1 })
      assert.equal(await state(), 'pending', 'a retry is not the end')
      const [retry] = await store.held.claim('o', ['h'], 10)
      await store.held.hold({ ...delivery, heldId: retry?.heldId ?? 0 }, { ...failure, tracked: true })
      assert.equal(await state(), 'failed')
      const failed = await store.statuses.get(message.id)
      assert.deepEqual([failed?.code, failed?.reason], ['BOOM', 'it broke'])
      await store.deadLetters.retry(await onlyOne(store))
      const pending = await store.statuses.get(message.id)
      assert.deepEqual([pending?.state, pending?.code], ['pending', undefined])
      const [row] = await store.held.claim('o', ['h'], 10)
      const entry = { ...ENTRY, tracked: true, delivery: { ...delivery, heldId: row?.heldId ?? 0 } }
      await store.transactions.commit(entry, unit([], [], { result: '{"ok":1}' }))
      const done = await store.statuses.get(message.id)
      assert.deepEqual([done?.state, done?.result], ['done', '{"ok":1}'])
    },
  },
  {
    name: 'a command that is refused has failed, unless it may be taken back; sent back, it is pending again',
    async run(subject) {
      const store = await subject.open()
      await store.broker.declare([{ name: 'work' }])
      const refused = async (code: string) => {
        const { message } = order('k')
        await store.transactions.commit(ENTRY, unit([], [{ message, tracked: true }]))
        const body = bodyOf(message)
        await store.held.refuse({ channel: 'work', body, code, reason: 'why', messageId: message.id })
        const [letter] = await store.deadLetters.list({ messageId: message.id })
        const status = async () => {
          const { state, code: told, reason } = (await store.statuses.get(message.id)) ?? {}
          return [state, told, reason]
        }
        return { status, body, message, id: letter?.id ?? 0 }
      }
      const pending = ['pending', undefined, undefined]
      const failed = ['failed', 'MESSAGE_INVALID', 'why']
      const retried = await refused('MESSAGE_INVALID')
      assert.deepEqual(await retried.status(), failed)
      await store.deadLetters.retry(retried.id)
      assert.deepEqual(await retried.status(), pending)

      const edited = await refused('MESSAGE_INVALID')
      await store.deadLetters.edit(edited.id, edited.body)
      assert.deepEqual(await edited.status(), pending)
      const done = { ...ENTRY, tracked: true, delivery: arrival('k', { id: edited.message.id }) }
      await store.transactions.commit(done, unit())
      const late = { channel: 'work', body: 'late', code: 'MESSAGE_INVALID', reason: 'why' }
      await store.held.refuse({ ...late, messageId: edited.message.id })
      assert.equal((await edited.status())[0], 'done', 'what was handled stays so')

      for (const code of ['MESSAGE_TYPE_UNKNOWN', 'MESSAGE_VERSION_UNKNOWN']) {
        const unknown = await refused(code)
        assert.deepEqual(await unknown.status(), pending)
        await store.deadLetters.skip(unknown.id)
        assert.deepEqual(await unknown.status(), ['failed', code, 'why'])
      }
    },
  },
]
