// Migrations as an operator runs them: from the command line, several at once, killed in between, or by hand with psql.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { killAll, type RunningProcess, runToEnd, start, until } from '../../processes.ts'
import { note } from '../../servers/place.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')
const psql = ['psql', '/usr/lib/postgresql/15/bin/psql'].find(
  (program) => spawnSync(program, ['--version']).status === 0,
)
if (!psql) note('skipped: printed migrations by hand, because there is no psql')

const APP = join(import.meta.dirname, 'migrating/app.ts')
const OWN = ['001-orders', '002-first-order']

/** What a schema holds, as far as two of them can be compared. */
function shape(url: string): Promise<object[]> {
  return query(
    url,
    `SELECT c.relname, c.relkind, c.relpersistence, c.reloptions,
       (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attcollation,
          (SELECT regexp_replace(pg_get_expr(d.adbin, d.adrelid), 's\\d+_\\d+\\.', '') FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum))
          ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
       (SELECT regexp_replace(pg_get_indexdef(c.oid), 's\\d+_\\d+\\.', '', 'g') WHERE c.relkind = 'i') AS index
     FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname LIKE 'obverse%' ORDER BY 1`,
  )
}

describe.skipIf(server.missing)('migrations in PostgreSQL', () => {
  let url: string

  beforeEach(async () => {
    url = await newSchema(server.url)
  })
  afterAll(killAll)

  const migrate = (env: Record<string, string> = {}): RunningProcess =>
    start('src/cli/bin.ts', ['migrate', '--app', APP, '--json'], { env: { MIGRATING_URL: url, ...env } })
  const printed = async () => {
    const { stdout } = await runToEnd('src/cli/bin.ts', ['migrate', '--print', '--app', APP], {
      env: { MIGRATING_URL: url },
    })
    return stdout
  }
  const byHand = (sql: string) =>
    spawnSync(psql as string, [url.replaceAll('+', '%20'), '-q', '-v', 'ON_ERROR_STOP=1'], {
      input: sql,
      encoding: 'utf8',
    })
  const applied = async () =>
    (await query<{ name: string }>(url, 'SELECT name FROM obverse_migration ORDER BY at, name')).map(({ name }) => name)

  test.skipIf(!psql)('printed and run by hand make what the store makes, and it accepts them', async () => {
    const sql = await printed()
    for (const name of OWN) expect(sql).toContain(`-- ${name} is a step of the application`)
    const { status, stderr } = byHand(sql)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const made = await shape(url)
    expect(await applied()).toEqual(['obverse/1'])
    expect(await printed()).not.toContain('CREATE')
    const rest = migrate()
    expect(await rest.ended()).toMatchObject({ code: 0 })
    expect(JSON.parse(rest.stdout)).toEqual(OWN)
    url = await newSchema(server.url)
    expect(await migrate().ended()).toMatchObject({ code: 0 })
    expect(await shape(url)).toEqual(made)
  })

  test.skipIf(!psql)('printed and run twice by hand change nothing the second time', async () => {
    const sql = await printed()
    byHand(sql)
    const made = await shape(url)
    const again = byHand(sql)
    expect(again.status).not.toBe(0)
    expect(again.stderr).toContain('already exists')
    expect(await shape(url)).toEqual(made)
    expect(await applied()).toEqual(['obverse/1'])
  })

  test('by several processes at once are applied once', async () => {
    const processes = [migrate(), migrate(), migrate()]
    for (const process of processes) expect(await process.ended(30_000), process.output).toMatchObject({ code: 0 })
    const names = processes.flatMap(({ stdout }) => JSON.parse(stdout) as string[])
    expect(names.toSorted()).toEqual([...OWN, 'obverse/1'])
    expect(await applied()).toEqual(['obverse/1', ...OWN])
    expect(await query(url, 'SELECT id FROM orders')).toEqual([{ id: 'first' }])
  })

  test('of a process that is killed in the middle go on in the next one, from the step that was not finished', async () => {
    const first = migrate({ SLEEP_HERE: '60000' })
    await until('the first step', async () => (await applied().catch((): string[] => [])).includes('001-orders'))
    const second = migrate()
    const waits = async () =>
      (
        await query(
          server.url,
          `SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory_lock%' AND state = 'idle'`,
        )
      ).length > 0
    await until('the second process to wait', waits)
    expect(second.exit).toBeUndefined()
    await first.kill()
    expect(await second.ended()).toMatchObject({ code: 0 })
    expect(JSON.parse(second.stdout)).toEqual(['002-first-order'])
    expect(await applied()).toEqual(['obverse/1', ...OWN])
    expect(await query(url, 'SELECT id FROM orders')).toEqual([{ id: 'first' }])
  })

  test('may take longer than any other statement', async () => {
    const slow = migrate({ SLEEP_SERVER: '3' })
    expect(await slow.ended(), slow.output).toMatchObject({ code: 0 })
    expect(await applied()).toEqual(['obverse/1', ...OWN])
  })
})
