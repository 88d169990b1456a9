// The stamper when its session ends under it.
import { createRegistry, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { until } from '../../processes.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')
const LOCK = 6283186538719n

const TERMINATE = `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event = 'advisory'`

describe.skipIf(server.missing)('stamping', () => {
  // a rejection that nobody handles fails the run, as it would end a process
  test('a session that ends while it waits for its turn is an outage, and the next try goes on', async () => {
    const url = await newSchema(server.url)
    const store = await postgres(url).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: true })
    const other = new pg.Client({ connectionString: url })
    await other.connect()
    try {
      await store.schema.migrate([])
      await query(url, 'INSERT INTO obverse_unstamped (number) VALUES (1)')
      await other.query('SELECT pg_advisory_lock($1)', [LOCK.toString()])
      const stamped = expect(store.positions?.stamp(10)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' })
      await until('the session to end', async () => (await query(url, TERMINATE)).length > 0)
      await stamped
      await other.query('SELECT pg_advisory_unlock_all()')
      expect(await store.positions?.stamp(10)).toBe(1)
    } finally {
      await other.end()
      await store.close()
    }
  })
})
