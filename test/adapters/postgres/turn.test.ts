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

  test('what fails first takes back itself only, and the transaction is what it was to be', async () => {
    let isolation: unknown
    await handle(async (connection) => {
      expect(await insert(connection, TAKEN)).toBeUndefined()
      const { rows } = await connection.execute('SHOW transaction_isolation', [])
      isolation = rows[0]
      expect(await insert(connection, 3_001)).toBe(3_001)
      expect(await insert(connection, TAKEN)).toBeUndefined()
      expect(await insert(connection, TAKEN)).toBeUndefined()
      expect(await insert(connection, 3_002)).toBe(3_002)
    })
    expect(isolation).toEqual({ transaction_isolation: 'repeatable read' })
    expect((await ids()).filter((id) => id > 3_000)).toEqual([3_001, 3_002])
  })

  test('what fails after a read is taken back in the transaction that has read', async () => {
    await handle(async (connection) => {
      const count = async () => (await connection.execute('SELECT count(*)::int AS n FROM things', [])).rows[0]
      const before = await count()
      await query(url, 'INSERT INTO things VALUES (4001)')
      expect(await insert(connection, TAKEN)).toBeUndefined()
      expect(await count()).toEqual(before)
    })
  })

  test('one that repeats itself is prepared, and goes on when its table is changed', async () => {
    await query(url, 'CREATE TABLE notes (id int PRIMARY KEY, text text)')
    const write = async (id: number) => {
      await handle(async (connection) => {
        await connection.execute('INSERT INTO notes (id, text) VALUES ($1, $2)', [id, 'a'])
        await connection.execute('UPDATE notes SET text = $2 WHERE id = $1', [id, 'b'])
        const prepared = await connection.execute(
          "SELECT statement FROM pg_prepared_statements WHERE name LIKE 'obverse.app-%' AND statement LIKE '%notes%'",
          [],
        )
        names.push(prepared.rows.length)
      })
    }
    const names: number[] = []
    for (let id = 1; id <= 60; id += 1) await write(id)
    await query(url, 'ALTER TABLE notes ADD COLUMN more text; ALTER TABLE notes ALTER COLUMN id TYPE bigint')
    for (let id = 61; id <= 80; id += 1) await write(id)
    expect(names.at(-1)).toBe(2)
    expect(await query(url, "SELECT count(*)::int AS n FROM notes WHERE text = 'b'")).toEqual([{ n: 80 }])
  })
})
