// Statements of ours keep their plan; one that was made while a table was empty must not stay when it has grown.
import { afterEach, describe, expect, test } from 'vitest'
import { Line } from '../../../src/adapters/postgres/line.ts'
import { settings } from '../../../src/adapters/postgres/options.ts'
import { sessions } from '../../../src/adapters/postgres/pool.ts'
import { statement } from '../../../src/adapters/postgres/statement.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')
const PROBE = statement('probe', 'SELECT p.key FROM unnest($1::text[]) AS asked(key) JOIN probe p USING (key)')

describe.skipIf(server.missing)('a line', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  test('makes its plans anew while tables may still grow', async () => {
    const url = await newSchema(server.url)
    await query(url, 'CREATE TABLE probe (key text PRIMARY KEY) WITH (autovacuum_enabled = off)')
    const pool = sessions(url, settings({}))
    const line = new Line(pool)
    ends.push(
      () => pool.close(),
      () => line.close(),
    )
    const plan = async () => {
      const { rows } = await (await line.connection()).raw(`EXPLAIN EXECUTE "obverse.probe" ('{}')`, [])
      return rows.map((row) => Object.values(row)).join('\n')
    }
    await line.all(PROBE, [['k']])
    const first = await plan()
    await query(url, "INSERT INTO probe SELECT 'k' || n FROM generate_series(1, 20000) AS n")
    expect(await plan(), 'kept').toBe(first)
    for (let uses = 0; uses < 32; uses += 1) expect(await line.all(PROBE, [['k1', 'none']])).toEqual([{ key: 'k1' }])
    const last = await plan()
    expect(last).not.toBe(first)
    expect(last, 'a look-up for each').toMatch(/Nested Loop[\s\S]+Index Cond: \(key = asked\.key\)/)
  })
})
