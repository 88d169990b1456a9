// How a run of tests ends, whatever happens to it: with no process, and nothing on servers that were there before.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { type RunningProcess, start, temporaryFolder, until } from '../processes.ts'
import { server } from '../servers.ts'
import { VARIABLE } from './place.ts'
import { canLook, processesOf } from './processes-of.ts'

const postgres = await server('postgres')
const scratch = temporaryFolder()
afterAll(() => scratch.remove())

interface Made {
  readonly folder: string
  readonly space: string
  readonly url: string
  readonly own: string
}

let runs = 0

/** A run of the fixture; by default nothing that it could use is up. */
function run(
  end: 'well' | 'badly' | 'never',
  env: Record<string, string> = {},
): { child: RunningProcess; out: string } {
  const out = join(scratch.path, `run-${++runs}.json`)
  const own = {
    OBVERSE_TEST_POSTGRES_URL: '',
    OBVERSE_SERVERS_DIR: join(scratch.path, 'none'),
    OBVERSE_TEST_REQUIRE: '',
  }
  const fixture = { FIXTURE_SERVER: 'postgres', FIXTURE_OUT: out, FIXTURE_END: end, [VARIABLE]: '' }
  const args = ['run', '--config', 'test/servers/fixtures/vitest.config.ts']
  return { child: start('node_modules/vitest/vitest.mjs', args, { env: { ...own, ...fixture, ...env } }), out }
}

async function made(out: string): Promise<Made> {
  await until('the fixture having its servers', () => existsSync(out), 60_000)
  return until<Made | undefined>('the fixture saying so', () => {
    const text = readFileSync(out, 'utf8')
    return text.endsWith('}') ? JSON.parse(text) : undefined
  })
}

async function databases(): Promise<string[]> {
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database')
  await client.end()
  return rows.map(({ datname }) => datname)
}

describe.skipIf(postgres.missing)('a run', () => {
  test.concurrent('that fails ends its servers, and says which they were', async () => {
    const { child, out } = run('badly')
    expect((await child.ended(60_000)).code).toBe(1)
    expect(child.stdout).toMatch(/server: PostgreSQL \d+/)
    const { folder, own, url } = await made(out)
    expect(new URL(own).port).not.toBe(new URL(url).port)
    expect(existsSync(folder)).toBe(false)
    if (canLook) expect(processesOf(folder)).toEqual([])
  }, 60_000)

  test.concurrent.each(['SIGKILL', 'SIGINT'] as const)(
    'that ends by %s leaves nothing either',
    async (signal) => {
      const { child, out } = run('never', { OBVERSE_TEST_POSTGRES_URL: postgres.url })
      const { folder, space, own } = await made(out)
      expect(new URL(own).port).not.toBe(new URL(postgres.url).port)
      expect(await databases()).toContain(space)
      child.signal(signal)
      await child.ended(20_000)
      await until('the end of what it started', () => !existsSync(folder), 20_000)
      if (canLook) await until('the end of its processes', () => processesOf(folder).length === 0)
      expect(await databases()).not.toContain(space)
    },
    60_000,
  )

  test.concurrent('skips what it has no server for, and says why', async () => {
    const { child } = run('badly', { OBVERSE_TEST_POSTGRES_URL: 'postgres://127.0.0.1:1/none' })
    expect((await child.ended(60_000)).code).toBe(0)
    expect(stripVTControlCharacters(child.stdout)).toContain('1 passed | 1 skipped')
    expect(child.stdout).toMatch(/skipped: what needs PostgreSQL, because OBVERSE_TEST_POSTGRES_URL names .*:1\/none/)
  }, 60_000)

  test.concurrent('that must not skip fails instead', async () => {
    const env = { OBVERSE_TEST_POSTGRES_URL: 'postgres://127.0.0.1:1/none', OBVERSE_TEST_REQUIRE: '1' }
    const { child } = run('well', env)
    expect((await child.ended(60_000)).code).toBe(1)
    expect(child.output).toContain('PostgreSQL cannot be had')
  }, 60_000)
})
