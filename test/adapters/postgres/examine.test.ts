// What doctor, health and the relay say of the sessions, settings and rights of a real server. These tests make sessions that
// stand in everybody's way, so they have a server to themselves.

import {
  createApp,
  createRegistry,
  type Finding,
  type OpenStore,
  type Runtime,
  type Step,
  systemRuntime,
} from 'obverse'
import { type PostgresOptions, postgres } from 'obverse/postgres'
import pg from 'pg'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../processes.ts'
import { fresh, ownServer } from '../../servers.ts'
import { query } from './database.ts'
import { standby } from './standby.ts'
import { unitOf } from './unit.ts'

const server = await ownServer('postgres')

/** Milliseconds after which a snapshot is old here. */
const OLD = 300

/** A session that is closed with the test. */
async function session(url: string, ...statements: string[]): Promise<pg.Client & { readonly pid: number }> {
  const client = new pg.Client({ connectionString: url, application_name: 'nightly report' })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end().catch(() => {}))
  for (const statement of statements) await client.query(statement)
  return Object.assign(client, { pid: (client as unknown as { processID: number }).processID })
}

interface Opened extends OpenStore {
  examine(): Promise<readonly Finding[]>
  alarms(): Promise<readonly Finding[]>
}

async function open(
  source: string | pg.Pool,
  options: PostgresOptions = {},
  runtime: Runtime = systemRuntime,
): Promise<Opened> {
  const store = await postgres(source, { oldSnapshot: OLD, connections: 6, ...options }).open({
    runtime,
    registry: createRegistry([]),
    relayed: false,
  })
  onTestFinished(() => store.close())
  return store as Opened
}

describe.skipIf(server.missing)('examining PostgreSQL', () => {
  let url: string
  let store: Opened

  beforeEach(async () => {
    url = (await fresh(server)).url
    store = await open(url)
    await store.schema.migrate([])
  })

  /** The same database, for a user that owns nothing in it. */
  async function as(settings: string, grants = true): Promise<string> {
    const name = `user_${Math.random().toString(36).slice(2)}`
    await query(url, `CREATE ROLE ${name} LOGIN PASSWORD 'x' ${settings}`)
    onTestFinished(async () => {
      await query(url, `DROP OWNED BY ${name}`)
      await query(url, `DROP ROLE ${name}`)
    })
    if (grants) {
      await query(url, `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}`)
      await query(url, `GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${name}`)
    }
    const address = new URL(url)
    address.username = name
    address.password = 'x'
    return address.href
  }

  /** Rows of the queue that die, and how many of them the server has left after a vacuum. */
  async function deadAfterVacuum(): Promise<number> {
    await query(
      url,
      `INSERT INTO obverse_queue (channel, message_id, at) SELECT 'c', 'm', 0 FROM generate_series(1, 500)`,
    )
    await query(url, 'DELETE FROM obverse_queue')
    await query(url, 'VACUUM obverse_queue')
    const [row] = await query<{ dead: string }>(
      url,
      `SELECT pg_stat_get_dead_tuples('obverse_queue'::regclass) AS dead`,
    )
    return Number(row?.dead)
  }

  const named = (findings: readonly Finding[], subject: string) => findings.find((one) => one.subject === subject)
  const alarm = (subject: string) => until(subject, async () => named(await store.alarms(), subject), 5_000)

  describe('settings', () => {
    test('all is well on a server as it comes', async () => {
      const findings = await store.examine()
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
      expect(findings.map(({ subject }) => subject)).toEqual([
        'postgres',
        'postgres clock',
        'postgres rights',
        'postgres connections',
      ])
    })

    test('commits that a crash may lose', async () => {
      const url = await as('SUPERUSER')
      const user = new URL(url).username
      await query(url, `ALTER ROLE ${user} SET synchronous_commit = off`)
      await query(url, 'ALTER SYSTEM SET fsync = off')
      await query(url, 'ALTER SYSTEM SET full_page_writes = off')
      onTestFinished(async () => {
        await query(url, 'ALTER SYSTEM RESET ALL')
        await query(url, 'SELECT pg_reload_conf()')
      })
      await query(url, 'SELECT pg_reload_conf()')
      const careless = await open(url)
      const errors = (await careless.examine()).filter(
        ({ level, subject }) => level === 'error' && subject === 'postgres',
      )
      expect(errors.map(({ says }) => says.split(' ')[0])).toEqual(['fsync', 'full_page_writes', 'synchronous_commit'])
    })

    test('a default that a commit cannot live with, and none of one that is set anew', async () => {
      const url = await as('')
      const user = new URL(url).username
      await query(url, `ALTER ROLE ${user} SET default_transaction_isolation = 'repeatable read'`)
      await query(url, `ALTER ROLE ${user} SET default_transaction_read_only = on`)
      const wrong = (await (await open(url)).examine()).filter(({ subject }) => subject === 'postgres defaults')
      expect(wrong).toMatchObject([{ level: 'error', says: expect.stringContaining('read-only by default') }])
    })

    test('a clock that is apart from ours', async () => {
      const late = await open(url, {}, { ...systemRuntime, now: () => systemRuntime.now() - 5_000 })
      const finding = named(await late.examine(), 'postgres clock')
      expect(finding).toMatchObject({ level: 'warning', says: expect.stringMatching(/^5\.\d s from ours/) })
    })

    test('rights that are lacking, and how to give them', async () => {
      const poor = await as('')
      await query(url, `REVOKE DELETE ON obverse_queue FROM ${new URL(poor).username}`)
      const opened = await open(poor)
      const finding = named(await opened.examine(), 'postgres rights')
      expect(finding).toMatchObject({
        level: 'error',
        says: expect.stringContaining('may not DELETE on obverse_queue'),
      })
      await query(url, (finding?.remedy ?? '').replace('Run ', ''))
      expect(named(await opened.examine(), 'postgres rights')?.level).toBe('ok')
    })

    test('a limit that leaves no room for another process', async () => {
      const cramped = await open(await as('CONNECTION LIMIT 6'))
      expect(named(await cramped.examine(), 'postgres connections')).toMatchObject({
        level: 'warning',
        says: expect.stringMatching(/^\d of 6 are taken \(the limit of the role\)/),
      })
    })

    test('a pool too small for the store itself, and a pooler between', async () => {
      const pool = new pg.Pool({ connectionString: url, max: 4 })
      onTestFinished(() => pool.end())
      pool.on('connect', (client) => {
        Object.assign(client, { processID: 42 })
      })
      const findings = await (await open(pool)).examine()
      expect(named(findings, 'postgres connections')?.level).toBe('error')
      expect(named(findings, 'postgres pooler')?.says).toContain('a pooler between')
    })
  })

  describe('an old snapshot', () => {
    test('is named with its session, its statement and what it keeps', async () => {
      const report = await session(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM obverse_event')
      expect(await deadAfterVacuum()).toBe(500)
      const finding = await alarm(`session ${report.pid}`)
      expect(finding.level).toBe('warning')
      expect(finding.says).toMatch(
        /^postgres \(nightly report\) in obverse_test_\w+ has a transaction open for \d+ ms, [\d,]+ transactions long, and is idle in transaction: vacuum keeps what has died since, .*500 in obverse_queue.*; its last statement: SELECT count\(\*\) FROM obverse_event$/,
      )
      expect(finding.remedy).toContain(`SELECT pg_terminate_backend(${report.pid})`)
      expect(named(await store.examine(), finding.subject)?.says).toContain('nightly report')
      const { ok, detail } = await store.health()
      expect(ok).toBe(true)
      expect(detail).toMatch(new RegExp(`; warning: session ${report.pid} keeps dead rows from vacuum for \\d+ ms`))
      expect(detail).not.toContain('SELECT count')
      await report.query('ROLLBACK')
      expect(await store.alarms()).toEqual([])
      expect(await deadAfterVacuum()).toBe(0)
      expect((await store.health()).detail).not.toContain('warning')
    })

    test('is not named while it is young', async () => {
      await session(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1')
      const patient = await open(url, { oldSnapshot: 60_000 })
      expect(await patient.alarms()).toEqual([])
    })

    test('in another database keeps nothing here, and is not named', async () => {
      const elsewhere = await fresh(server)
      const report = await session(elsewhere.url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1')
      const mine = await session(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1')
      await alarm(`session ${mine.pid}`)
      await mine.query('ROLLBACK')
      expect(await deadAfterVacuum()).toBe(0)
      expect(named(await store.alarms(), `session ${report.pid}`)).toBeUndefined()
    })

    test('is told by the relay, once, without anybody asking', async () => {
      const steps: Step[] = []
      let looks = 0
      const app = createApp({
        handlers: [],
        store: postgres(url, { oldSnapshot: OLD, connections: 6 }),
        observe: [(step) => steps.push(step)],
        runtime: {
          ...systemRuntime,
          // between its looks the relay waits ten seconds, and here one
          after(ms, work) {
            if (ms === 10_000) looks += 1
            return systemRuntime.after(ms / 10, work)
          },
        },
      })
      onTestFinished(() => app.stop())
      const report = await session(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1')
      await alarm(`session ${report.pid}`)
      await app.start()
      const warnings = () => steps.filter((step) => step.step === 'warned')
      await until('a warning', () => warnings().length > 0)
      const [finding] = (await app.operate.doctor()).filter(({ subject }) => subject === `session ${report.pid}`)
      expect(finding?.level).toBe('warning')
      await until('two more looks', () => looks >= 3)
      expect(warnings()).toMatchObject([{ part: `session ${report.pid}`, remedy: finding?.remedy }])
    })

    test('of another user cannot be seen without a right, which is said', async () => {
      const stranger = await session(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1')
      await alarm(`session ${stranger.pid}`)
      const poor = await open(await as(''))
      expect(await poor.alarms()).toEqual([])
      const blind = named(await poor.examine(), 'postgres sessions')
      expect(blind).toMatchObject({ level: 'warning', says: expect.stringContaining('cannot be looked into') })
      await query(url, (blind?.remedy ?? '').replace('Run ', ''))
      expect(named(await poor.alarms(), `session ${stranger.pid}`)?.says).toContain('nightly report')
      expect(named(await poor.examine(), 'postgres sessions')).toBeUndefined()
    })
  })

  describe('an idle writer', () => {
    test('does not hold the log back, and is named', async () => {
      const writer = await session(url, 'BEGIN', `INSERT INTO obverse_key VALUES ('its own', 0)`)
      await alarm(`session ${writer.pid}`)
      for (const key of ['a', 'b']) await store.transactions.commit({ name: 'test' }, unitOf(key))
      expect(await store.positions?.stamp(10)).toBe(2)
      expect((await store.log.after(0, 10)).events.map(({ key, position }) => [key, position])).toEqual([
        ['a', 1],
        ['b', 2],
      ])
    })

    test('in another database keeps dead rows wherever anybody reads, and is named', async () => {
      const elsewhere = await fresh(server)
      const writer = await session(elsewhere.url, 'CREATE TABLE t (id int)', 'BEGIN', 'INSERT INTO t VALUES (1)')
      await session(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1')
      expect(await deadAfterVacuum()).toBe(500)
      const finding = await alarm(`session ${writer.pid}`)
      expect(finding.says).toMatch(/has been writing in a transaction .* every snapshot taken here reaches back to it/)
    })
  })

  test('a prepared transaction is named, with what ends it', async () => {
    await session(url, 'BEGIN', `INSERT INTO obverse_key VALUES ('prepared', 0)`, `PREPARE TRANSACTION 'two''phases'`)
    const finding = await alarm(`prepared transaction two'phases`)
    expect(finding.says).toContain('nobody has ended it')
    expect(await deadAfterVacuum()).toBe(500)
    const [, commit] = /(COMMIT PREPARED '.*?[^']') or/.exec(finding.remedy ?? '') ?? []
    await query(url, commit as string)
    expect(await store.alarms()).toEqual([])
    expect(await deadAfterVacuum()).toBe(0)
  })

  describe('a replication slot', () => {
    const slot = async (kind: string) => {
      const name = `slot_${Math.random().toString(36).slice(2)}`
      await query(url, kind.replace('NAME', name))
      onTestFinished(async () => {
        await until('the slot to be free', async () => {
          const found = await query<{ active: boolean }>(
            url,
            'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
            [name],
          )
          return found[0]?.active !== true
        })
        await query(
          url,
          `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${name}'`,
        )
      })
      return name
    }
    const xmin = async () => Number((await query<{ at: string }>(url, 'SELECT pg_current_xact_id() AS at'))[0]?.at)

    test('for decoding keeps the log of the server and none of our rows', async () => {
      const name = await slot(`SELECT pg_create_logical_replication_slot('NAME', 'test_decoding')`)
      expect(await deadAfterVacuum()).toBe(0)
      expect(await store.alarms()).toEqual([])
      expect(named(await store.examine(), `replication slot ${name}`)).toMatchObject({
        level: 'warning',
        says: expect.stringMatching(/nobody reads from this logical slot; it keeps [\d,]+ MB of the server's log/),
      })
    })

    test('of a standby is named when a query there holds it for long, and at once when nobody reads', async () => {
      const name = await slot(`SELECT pg_create_physical_replication_slot('NAME', true)`)
      const replica = await standby(url, 'replica', name)
      onTestFinished(() => replica.end().catch(() => {}))
      replica.needs(await xmin())
      await until(
        'the feedback',
        async () => (await query(url, 'SELECT FROM pg_replication_slots WHERE xmin IS NOT NULL')).length > 0,
      )
      expect(await store.alarms()).toEqual([])
      expect(await deadAfterVacuum()).toBe(500)
      expect((await alarm(`replication slot ${name}`)).says).toContain('a query on its standby')
      await replica.end()
      const fresh = await open(url)
      await until('the slot to be idle', async () =>
        named(await fresh.alarms(), `replication slot ${name}`)?.says.startsWith('nobody reads'),
      )
    })

    test('is not needed by a standby to keep rows with its feedback', async () => {
      const replica = await standby(url, 'replica 2')
      onTestFinished(() => replica.end().catch(() => {}))
      replica.needs(await xmin())
      const finding = await alarm('standby replica 2')
      expect(finding.says).toContain('hot_standby_feedback')
      expect(await deadAfterVacuum()).toBe(500)
      replica.needs(0)
      await until('the alarm to end', async () => (await store.alarms()).length === 0)
    })
  })
})
