// What is given to the relay while transactions of the application are still open.
import { createRegistry, type OpenStore, systemRuntime } from 'obverse'
import { join, postgres } from 'obverse/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { order } from '../../../src/testing/conformance/messages.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')
const ENTRY = { name: 'test' }

describe.skipIf(server.missing)('relaying', () => {
  let url: string
  let store: OpenStore
  beforeAll(async () => {
    url = await newSchema(server.url)
    store = await postgres(url).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: true })
    await store.schema.migrate([])
  })
  afterAll(() => store?.close())

  test('a command that is committed late, while a later one of its key is out, goes next', async () => {
    const [late, early] = [order('k', 1), order('k', 2)]
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query('BEGIN')
      await store.transactions.join?.(join(client), { events: [], messages: [late] })
      await store.transactions.commit(ENTRY, { events: [], messages: [early] })
      const out = await store.outbox.claim('r', 10)
      expect(out.map(({ messageId }) => messageId)).toEqual([early.message.id])
      await client.query('COMMIT')
    } finally {
      await client.end()
    }
    expect(await store.outbox.claim('r', 10)).toEqual([])
    expect(await query(url, 'SELECT FROM obverse_claim')).toHaveLength(1)
    const [{ id }] = (await query<{ id: string }>(url, 'SELECT max(id) AS id FROM obverse_queue')) as [{ id: string }]
    await store.outbox.done('r', [Number(id)])
    const next = await store.outbox.claim('r', 10)
    expect(next.map(({ messageId }) => messageId)).toEqual([late.message.id])
    await store.outbox.done(
      'r',
      next.map((row) => row.id),
    )
    expect(await query(url, 'SELECT FROM obverse_claim')).toEqual([])
  })
})
