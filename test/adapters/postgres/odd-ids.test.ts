// Ids, keys and claims from elsewhere that no text of PostgreSQL can hold.
import { createRegistry, type OpenStore, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrival } from '../../../src/testing/conformance/messages.ts'
import { fresh } from '../../servers.ts'
import { newSchema } from './database.ts'
import { unitOf } from './unit.ts'

const server = await fresh('postgres')
const ENTRY = { name: 'test' }

describe.skipIf(server.missing).each(['a\0b', '\ud83d half'])('%j', (odd) => {
  let store: OpenStore
  beforeAll(async () => {
    store = await postgres(await newSchema(server.url)).open({
      runtime: systemRuntime,
      registry: createRegistry([]),
      relayed: false,
    })
    await store.schema.migrate([])
  })
  afterAll(() => store?.close())

  test('as the id and key of a message: handled once', async () => {
    const delivery = arrival(odd, { id: odd })
    expect(await store.transactions.enter({ ...ENTRY, delivery })).toBeUndefined()
    expect(await store.transactions.commit({ ...ENTRY, delivery }, unitOf('k'))).toMatchObject({ kind: 'committed' })
    expect(await store.transactions.enter({ ...ENTRY, delivery })).toEqual({ kind: 'duplicate' })
    expect(await store.transactions.commit({ ...ENTRY, delivery }, unitOf('k'))).toEqual({ kind: 'duplicate' })
    expect((await store.events.load('k')).version).toBe(1)
  })

  test('as the key of a lane: what comes later waits', async () => {
    const [first, second] = [arrival(odd), arrival(odd)]
    await store.held.hold(first, { attempts: 1, code: 'E', reason: '', detail: '' })
    expect(await store.transactions.commit({ ...ENTRY, delivery: second }, unitOf('l'))).toEqual({ kind: 'held' })
    expect((await store.events.load('l')).version).toBe(0)
  })

  test('as an idempotency key: answered once, and repeated', async () => {
    const claim = { principal: odd, command: 'c', key: odd, fingerprint: 'f' }
    const unit = { ...unitOf('m'), answer: () => ({ outcome: 'done' as const, body: '{}', token: 't' }) }
    expect(await store.transactions.commit({ ...ENTRY, claim }, unit)).toMatchObject({ kind: 'committed' })
    expect(await store.transactions.commit({ ...ENTRY, claim }, unit)).toMatchObject({ kind: 'replayed' })
  })
})
