// The servers themselves: two sets side by side, what a kill keeps, and that nothing stays behind.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Instance } from '../../scripts/servers/instance.ts'
import { ServerMissing } from '../../scripts/servers/missing.ts'
import { NAMES, type ServerName, USUAL } from '../../scripts/servers/name.ts'
import { probe } from '../../scripts/servers/probe.ts'
import { known } from '../../scripts/servers/process.ts'
import { readRecord, writeRecord } from '../../scripts/servers/record.ts'
import type { Report } from '../../scripts/servers/report.ts'
import { ServerSet } from '../../scripts/servers/set.ts'
import { findWay } from '../../scripts/servers/ways.ts'
import { runToEnd, until } from '../processes.ts'
import { read, write } from './acknowledged.ts'
import { startKeeper } from './keeper.ts'
import { note, setFolder } from './place.ts'
import { canLook, processesOf } from './processes-of.ts'

const names: ServerName[] = []
for (const name of USUAL) {
  try {
    await findWay(name)
    names.push(name)
  } catch (error) {
    if (!(error instanceof ServerMissing) || process.env.OBVERSE_TEST_REQUIRE === '1') throw error
    note(`skipped: ${NAMES[name].title} in the tests of servers, because ${error.reason}. ${error.remedy}.`)
  }
}
const cheapest = names.find((name) => name !== 'rabbitmq')

const first = new ServerSet(setFolder('first'))
const second = new ServerSet(setFolder('second'))

/** The command, on a set; nothing of the run's own servers gets in. */
async function command(set: ServerSet, args: readonly string[], env: Record<string, string> = {}) {
  const variables = Object.values(NAMES).flatMap(({ variable }) => (variable ? [[variable, '']] : []))
  const own = { ...Object.fromEntries(variables), OBVERSE_SERVERS_DIR: set.folder, ...env }
  return runToEnd('scripts/servers.ts', args, { env: own, timeout: 60_000 })
}

async function reports(set: ServerSet, args: readonly string[]): Promise<Report[]> {
  const { code, stdout, output } = await command(set, [...args, '--json'])
  expect(code, output).toBe(0)
  return JSON.parse(stdout)
}

function instance(set: ServerSet, name: ServerName): Instance {
  const found = set.instances().get(name)
  if (!found) throw new Error(`${name} is not in ${set.folder}`)
  return found
}

describe.skipIf(names.length === 0)('servers', () => {
  let ups: [Report[], Report[]]

  beforeAll(async () => {
    await startKeeper()
    ups = await Promise.all([reports(first, ['up', ...names]), reports(second, ['up', ...names])])
  }, 90_000)
  afterAll(() => Promise.all([first.down(), second.down()]), 60_000)

  test('two sets have ports of their own, and answer', async () => {
    const urls = ups.flat().map(({ url = '' }) => url)
    expect(new Set(urls).size).toBe(names.length * 2)
    const versions = await Promise.all(ups.flat().map(({ name, url = '' }) => probe(NAMES[name].kind, url)))
    expect(versions).toEqual(ups.flat().map(({ version }) => version))
    expect(urls.every((url) => url.includes('@127.0.0.1:') || url.includes('//127.0.0.1:'))).toBe(true)
  })

  test('what is up is not started again', async () => {
    const again = await reports(first, ['up', ...names])
    expect(again).toEqual(ups[0])
    expect(await reports(first, ['status'])).toEqual(ups[0])
  })

  test.skipIf(process.getuid?.() !== 0 || !canLook)('none runs as root', () => {
    for (const name of names) {
      const { processes, way } = instance(first, name).record
      if (way === 'compose') continue
      const uids = Object.values(processes).map(({ pid }) => statSync(`/proc/${pid}`).uid)
      expect(uids.length).toBeGreaterThan(0)
      expect(uids).not.toContain(0)
    }
  })

  test.each(names)(
    '%s, killed while it is written to, keeps what it acknowledged',
    async (name) => {
      const server = instance(second, name)
      const { kind, url } = server.record
      const { acknowledged, over } = await write(kind, url)
      await until('a hundred writes', () => acknowledged.size >= 100)
      await server.kill9()
      expect(await server.isUp()).toBe(false)
      await over
      await server.start()
      expect(server.record.url).toBe(url)
      const found = await read(kind, url, acknowledged)
      expect([...acknowledged].filter((id) => !found.has(id))).toEqual([])
    },
    60_000,
  )

  test.each(names)('%s, frozen, answers nobody until it is resumed', async (name) => {
    const server = instance(second, name)
    const { kind, url } = server.record
    await server.pause()
    let answered = false
    const answer = probe(kind, url).then(() => {
      answered = true
    })
    const silence = new Promise((resolve) => setTimeout(resolve, 300))
    await Promise.race([answer, silence])
    expect(answered).toBe(false)
    await server.resume()
    await answer
  })

  test('one that ended is down, and starts again where it was', async () => {
    const name = cheapest as ServerName
    await instance(first, name).stop()
    const { code, stdout } = await command(first, ['status'])
    expect(code).toBe(1)
    expect(stdout).toContain(`\`npm run servers -- up ${name}\` starts it`)
    const [again] = await reports(first, ['up', name])
    expect(again?.url).toBe(ups[0].find((report) => report.name === name)?.url)
  })

  test('one that a variable names is used, and left alone', async () => {
    const { kind, url } = instance(first, cheapest as ServerName).record
    const { variable = '' } = NAMES[kind]
    const third = new ServerSet(setFolder('third'))
    const up = await command(third, ['up', kind], { [variable]: url })
    expect(up.output).toContain(`yours, by ${variable}`)
    expect(third.instances().size).toBe(0)
    expect((await command(third, ['down'], { [variable]: url })).code).toBe(0)
    expect(await probe(kind, url)).not.toBe('')
  })

  test('down ends its own set, companions too, and no other', async () => {
    if (canLook) expect(processesOf(first.folder).length).toBeGreaterThanOrEqual(names.length)
    const { code, stdout } = await command(first, ['down'])
    expect(code).toBe(0)
    for (const name of names) expect(stdout).toContain(name)
    if (canLook) expect(processesOf(first.folder)).toEqual([])
    expect(existsSync(first.folder)).toBe(false)
    for (const { name, url = '' } of ups[1]) expect(await probe(NAMES[name].kind, url)).not.toBe('')
  })

  test('discards in the middle of a pause', async () => {
    await instance(second, cheapest as ServerName).pause()
    await second.down()
    if (canLook) expect(processesOf(second.folder)).toEqual([])
  })
})

describe('npm run servers', () => {
  const empty = new ServerSet(setFolder('empty'))

  test('has nothing to say of a set that is not there', async () => {
    expect(await command(empty, ['status'])).toMatchObject({ code: 0, stdout: 'none is up\n' })
    expect(await command(empty, ['down'])).toMatchObject({ code: 0, stdout: 'there was none\n' })
  })

  test.each([
    [[], 'up, down or status?'],
    [['start'], 'what is start?'],
    [['up', 'oracle'], 'no server is called oracle'],
    [['up', '--instal'], '--instal'],
  ])('ends with 2 on %j', async (args, why) => {
    const { code, stderr } = await command(empty, args)
    expect(code).toBe(2)
    expect(stderr).toContain(why)
  })

  test('says what is missing, and what to do', async () => {
    const { code, stdout } = await command(empty, ['up', 'rabbitmq4'], {
      OBVERSE_RABBITMQ4_ROOT: join(empty.folder, 'no'),
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^rabbitmq4 +missing: .*no Debian 13 in .*`npm run servers -- up rabbitmq4 --install` brings it/,
    )
  })

  test('starts none in place of one that was named and does not answer', async () => {
    const url = 'postgres://me:hush@127.0.0.1:1/mine'
    const { code, output } = await command(empty, ['up', 'postgres'], { OBVERSE_TEST_POSTGRES_URL: url })
    expect(code).toBe(1)
    expect(output).toContain(
      'OBVERSE_TEST_POSTGRES_URL names postgres://me:***@127.0.0.1:1/mine, which does not answer',
    )
    expect(output).not.toContain('hush')
  })

  test('kills no process that has the pid of a server by now', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    try {
      const { pid } = await known(stranger.pid as number)
      const folder = join(empty.folder, 'mongodb')
      mkdirSync(folder, { recursive: true })
      const server = { pid, born: '1' }
      const rest = { what: 'server', from: '', url: '', version: '1', startedIn: 0, ports: {}, secret: '' } as const
      writeRecord(folder, { name: 'mongodb', kind: 'mongodb', way: 'programs', ...rest, processes: { server } })
      expect(readRecord(folder)?.processes.server).toEqual(server)
      expect(await empty.down()).toEqual(['mongodb'])
      expect(existsSync(folder)).toBe(false)
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
    } finally {
      stranger.kill('SIGKILL')
    }
  })
})
