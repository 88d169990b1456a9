// PostgreSQL has no NUL in texts, and no bytes that are not UTF-8; messages do.
import { type BrokerDelivery, bodyOfBytes, type OpenStore, readEnvelope } from 'obverse'
import { afterEach, describe, expect, test } from 'vitest'
import { until } from '../../../processes.ts'
import { fresh } from '../../../servers.ts'
import { newSchema } from '../database.ts'
import { arrival, openStore } from './store.ts'

const server = await fresh('postgres')
const NUL = '\0'
/** As a broker gives it that carries bytes. */
const NOISE = bodyOfBytes(Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xed, 0xa0, 0x80]))

describe.skipIf(server.missing)('a text with a NUL', () => {
  let store: OpenStore
  afterEach(() => store.close())

  test('goes through the queue as it is, among others, in order', async () => {
    store = await openStore(await newSchema(server.url))
    const bodies = ['first', `${NUL}`, `a${NUL}b${NUL}`, 'ä\u{1f680}', `{"id":"x${NUL}"}`, NOISE, '', 'last']
    for (const body of bodies) await store.broker.put('work', body)
    expect(await store.broker.peek('work', 10)).toEqual(bodies)
    const taken: BrokerDelivery[] = []
    await store.broker.subscribe('work', { prefetch: 10, onDeliveries: (all) => void taken.push(...all) })
    await until('all', () => taken.length === bodies.length)
    expect(taken.map(({ body }) => body)).toEqual(bodies)
  })

  test('goes through the outbox as it is', async () => {
    store = await openStore(await newSchema(server.url), { relayed: true })
    await store.broker.put('work', `a${NUL}`)
    const [row] = await store.outbox.claim('r', 10)
    expect(row).toMatchObject({ channel: 'work', key: null, body: `a${NUL}` })
  })

  test('is refused, listed, edited and sent back as it is, in whatever field it is', async () => {
    store = await openStore(await newSchema(server.url))
    const id = `i${NUL}d`
    const body = JSON.stringify({ id, type: `t${NUL}`, kind: 'event', time: 't', key: `k${NUL}`, data: 1 })
    const refused = { channel: 'work', body, code: 'MESSAGE_TYPE_UNKNOWN', reason: `no ${NUL}`, messageId: id }
    await store.held.refuse(refused)
    await store.held.refuse(refused)
    const [letter, ...more] = await store.deadLetters.list({ messageId: id })
    expect(more).toEqual([])
    expect(letter).toMatchObject({ body, state: 'dead', handler: null })
    expect(await store.deadLetters.edit(letter?.id ?? 0, body)).toBe(true)
    expect(await store.broker.peek('work', 10)).toEqual([body])
    expect((await store.deadLetters.get(letter?.id ?? 0))?.originalBody).toBe(body)
  })

  test('and one that is not UTF-8 are dead letters to the byte', async () => {
    store = await openStore(await newSchema(server.url))
    await store.held.refuse({ channel: 'work', body: NOISE, code: 'MESSAGE_MALFORMED', reason: 'not UTF-8' })
    const [letter] = await store.deadLetters.list()
    expect(letter?.body).toBe(NOISE)
    expect(await store.deadLetters.retry(letter?.id ?? 0)).toBe(true)
    expect(await store.broker.peek('work', 10)).toEqual([NOISE])
  })

  test('is held with its key, behind it what has the same', async () => {
    store = await openStore(await newSchema(server.url))
    const [first, second] = [arrival(`k${NUL}`), arrival(`k${NUL}`)]
    const failure = { attempts: 1, code: `E${NUL}`, reason: `why ${NUL}`, detail: `at${NUL}` }
    await store.held.hold(first, failure)
    await store.held.join([second])
    const lane = { handler: 'h', key: `k${NUL}` }
    expect(await store.held.blocked([lane, { handler: 'h', key: 'k' }])).toEqual([lane])
    const [letter] = await store.deadLetters.list({ key: `k${NUL}` })
    expect(letter).toMatchObject({ behind: 1, body: first.body })
    await store.deadLetters.skip(letter?.id ?? 0, `note ${NUL}`)
    const [row] = await store.held.claim('o', ['h'], 10)
    expect(row?.body).toBe(second.body)
    expect(readEnvelope(row?.body ?? '').key).toBe(`k${NUL}`)
    await store.held.done('o', [row?.heldId ?? 0])
    expect(await store.held.blocked([lane])).toEqual([])
  })
})
