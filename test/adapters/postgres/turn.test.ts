// What a handler is told of its statements, and what is there afterwards.
import { createRegistry, type OpenStore, type SqlConnection, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')
const ENTRY = { name: 'test' }
const TAKEN = -1

describe.skipIf(server.missing)('statements of a handler', () => {
  let url: string
  let store: OpenStore
  beforeAll(async () => {
    url = await newSchema(server.url)
    store = await postgres(url).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: false })
    await store.schema.migrate([])
    await query(url, `CREATE TABLE things (id int PRIMARY KEY); INSERT INTO things VALUES (${TAKEN})`)
  })
  afterAll(() => store?.close())

  const handle = (work: (connection: SqlConnection) => Promise<void>) =>
    store.transactions.transact(ENTRY, async (tx) => {
      await work(tx.connection())
      return { events: [], messages: [] }
    })
  const ids = async () => (await query<{ id: number }>(url, 'SELECT id FROM things ORDER BY id')).map(({ id }) => id)
  const insert = (connection: SqlConnection, id: number) =>
    connection.execute('INSERT INTO things VALUES ($1)', [id]).then(
      () => id,
      () => undefined,
    )

  test('what was done is there after the commit, whatever fails beside it', async () => {
    let done: (number | undefined)[] = []
    await handle(async (connection) => {
      const one = async (n: number) => {
        for (let turn = 0; turn < n % 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        return insert(connection, n % 10 === 0 ? TAKEN : 1_000 + n)
      }
      done = await Promise.all(Array.from({ length: 100 }, (_, n) => one(n)))
    })
    const wanted = Array.from({ length: 100 }, (_, n) => 1_000 + n).filter((id) => id % 10 !== 0)
    expect(done.filter((id) => id !== undefined)).toEqual(wanted)
    expect((await ids()).filter((id) => id >= 1_000)).toEqual(wanted)
  })

  test('one that fails after a failed read takes nothing back that was done before', async () => {
    const before = await ids()
    const handled = handle(async (connection) => {
      await insert(connection, TAKEN)
      expect(await insert(connection, 1)).toBe(1)
      await expect(connection.execute('SELECT 1 / 0', [])).rejects.toThrow('division by zero')
      expect(await insert(connection, 2)).toBeUndefined()
      await insert(connection, 2)
    })
    await expect(handled).rejects.toMatchObject({ code: 'HANDLER_FAILED' })
    expect(await ids()).toEqual(before)
  })
})
