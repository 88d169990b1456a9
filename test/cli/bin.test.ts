import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type {
  ChannelReport,
  DeadLetter,
  Description,
  EventEnvelope,
  Finding,
  ProjectionReport,
  TraceNode,
} from 'obverse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'src/cli/bin.ts')
const app = join(import.meta.dirname, 'fixtures/app.ts')
const folder = mkdtempSync(join(tmpdir(), 'obverse-bin-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const env = (data: string, more: object = {}) => ({ ...process.env, DATA_DIR: data, NO_COLOR: '1', ...more })

function start(argv: readonly string[], options: { data?: string; cwd?: string; more?: object } = {}): ChildProcess {
  const { data = folder, cwd = root, more } = options
  return spawn(process.execPath, ['--conditions=source', bin, ...argv], { cwd, env: env(data, more) })
}

async function ended(child: ChildProcess): Promise<Ended> {
  const closed = new Promise<number>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? -1 : -2))),
  )
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('not piped')
  const [code, out, err] = await Promise.all([closed, text(stdout), text(stderr)])
  return { code, stdout: out, stderr: err }
}

async function obverse(...argv: string[]): Promise<Ended> {
  const child = start(['--app', app, ...argv])
  child.stdin?.end()
  return ended(child)
}

/** Ends with `code`, or the failure shows what it said. */
async function ends(code: number, ...argv: string[]): Promise<Ended> {
  const it = await obverse(...argv)
  expect({ argv, code: it.code, ...(it.code !== code && it) }).toEqual({ argv, code })
  return it
}

/** What it printed, when it ended with 0. */
async function json<T>(...argv: string[]): Promise<T> {
  const { code, stdout, stderr } = await obverse(...argv, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as T
}

/** Resolves once `child` has printed `words`. */
function says(child: ChildProcess, words: string): Promise<void> {
  let seen = ''
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk)
      if (seen.includes(words)) resolve()
    })
    child.once('close', () => reject(new Error(`ended without saying ${words}: ${seen}`)))
  })
}

const write = (id: string, words: string) =>
  json<{ messageId: string; token: string; result: unknown }>('send', 'note.write', JSON.stringify({ id, text: words }))

describe('obverse, from its first table to its last message', () => {
  let first: { messageId: string; token: string }

  it('makes the tables, once', async () => {
    await ends(0, 'migrate')
    expect(await json<string[]>('migrate')).toEqual([])
    expect((await obverse('migrate')).stdout).toBe('Nothing to do: the tables are up to date.\n')
  })

  it('describes the application', async () => {
    const it = await json<Description>('describe')
    expect(it).toMatchObject({ name: 'notes' })
    expect(it.messages.map(({ type }) => type).sort()).toEqual(['note.get', 'note.mail', 'note.write', 'note.written'])
  })

  it('sends commands', async () => {
    first = await write('a', 'hello')
    expect(first).toMatchObject({ state: 'done', result: { wrote: 5 }, token: expect.stringMatching(/.+/) })
    await write('b', 'FAIL')
    await write('b', 'behind it')
    const bad = await obverse('send', 'note.write', '{"id":7}', '--json')
    expect(bad.code).toBe(1)
    expect(JSON.parse(bad.stderr)).toMatchObject({
      error: { code: 'VALIDATION_FAILED', fields: { id: [expect.anything()] } },
    })
  })

  it('shows what waits, on a line each, and puts it back as it was', async () => {
    const { stdout } = await obverse('channels', 'peek', 'readers', '--json')
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).data.text)).toEqual(['hello', 'FAIL', 'behind it'])
    const child = start(['--app', app, 'channels', 'put', 'readers', '--raw', '-'])
    child.stdin?.end(`${lines[0]}\n`)
    expect((await ended(child)).code).toBe(0)
    await obverse('channels', 'put', 'readers', 'not json')
    const all = (await obverse('channels', 'peek', 'readers', '--json')).stdout.trim().split('\n')
    expect(all.slice(3)).toEqual([lines[0], 'not json'])
    const channels = await json<ChannelReport[]>('channels', 'list')
    expect(channels.find(({ channel }) => channel === 'readers')).toMatchObject({ messages: 5, consumers: 0 })
  })

  it('consumes, says each step and why it stopped', async () => {
    const { stdout } = await ends(0, 'consume', 'readers', '--limit', '1', '-vv')
    const places = [
      'consumer started',
      'received note.written',
      'handled by read-note',
      'handled successfully',
      'stopped due to maximum count of 1',
    ].map((words) => stdout.indexOf(words))
    expect(places).not.toContain(-1)
    expect(places).toEqual([...places].sort((a, b) => a - b))
    const rest = await ends(0, 'consume', 'readers', '--stop-when-empty')
    expect(rest.stdout).toContain('note.written is now a dead letter of read-note: PERMANENT: nobody can read that')
  })

  it('shows dead letters as one array, and what waits behind them', async () => {
    const letters = await json<DeadLetter[]>('failed', 'list')
    expect(
      letters
        .map(({ code, handler, behind }) => ({ code, handler, behind }))
        .sort((a, b) => a.code.localeCompare(b.code)),
    ).toEqual([
      { code: 'MESSAGE_MALFORMED', handler: null, behind: 0 },
      { code: 'PERMANENT', handler: 'read-note', behind: 1 },
    ])
    expect(letters.find(({ code }) => code === 'MESSAGE_MALFORMED')?.body).toBe('not json')
  })

  it('shows, skips, edits and retries them', async () => {
    const letters = await json<DeadLetter[]>('failed', 'list')
    const idOf = (code: string) => String(letters.find((letter) => letter.code === code)?.id)
    expect((await obverse('failed', 'show', idOf('PERMANENT'))).stdout).toContain('nobody can read that')
    await ends(1, 'failed', 'show', '4711')
    await ends(0, 'failed', 'skip', idOf('MESSAGE_MALFORMED'), '--note', 'a test')
    expect(await json<DeadLetter[]>('failed', 'list', '--state', 'skipped')).toMatchObject([{ note: 'a test' }])
    const body = join(folder, 'body.json')
    const letter = letters.find(({ code }) => code === 'PERMANENT')
    writeFileSync(body, `${letter?.body.replace('FAIL', 'FAIL ')}\n`)
    await ends(0, 'failed', 'edit', idOf('PERMANENT'), '--body', body)
    await ends(0, 'consume', 'readers', '--stop-when-empty')
    expect(await json<DeadLetter[]>('failed', 'list')).toEqual([])
    expect((await obverse('failed', 'retry', '--all')).stdout).toContain('nothing to retry')
    await ends(1, 'failed', 'retry', '4711')
  })

  it('feeds the projections from the log until SIGTERM, so that a query sees the write', async () => {
    const early = await obverse('ask', 'note.get', '{"id":"a"}', '--after', first.token, '--timeout', '100ms', '--json')
    expect(early.code).toBe(1)
    expect(JSON.parse(early.stderr).error.code).toBe('CONSISTENCY_TIMEOUT')
    const child = start(['--app', app, 'projections', 'run'])
    const end = ended(child)
    await says(child, 'projections started')
    expect(await json('ask', 'note.get', '{"id":"a"}', '--after', first.token)).toEqual({ id: 'a', text: 'hello' })
    child.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 0, stdout: expect.stringContaining('stopped due to SIGTERM') })
  })

  it('verifies, rebuilds and switches a projection', async () => {
    await ends(0, 'projections', 'verify', 'note-list')
    const { stdout } = await ends(0, 'projections', 'rebuild', 'note-list', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ projection: 'note-list', generation: 2, rows: 2, switched: true })
    await ends(0, 'projections', 'switch', 'note-list', '1')
    const [one] = await json<ProjectionReport[]>('projections', 'list')
    expect(one).toMatchObject({ projection: 'note-list', generation: { serving: 1 } })
  })

  it('shows the log, and follows it until SIGINT', async () => {
    const { stdout } = await obverse('log', 'tail', '--from', '1', '--limit', '2', '--json')
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as EventEnvelope)
    expect(events.map(({ position, key, seq }) => ({ position, key, seq }))).toEqual([
      { position: 1, key: 'a', seq: 1 },
      { position: 2, key: 'b', seq: 1 },
    ])
    const child = start(['--app', app, 'log', 'tail', '--follow', '--limit', '1', '--json'])
    const end = ended(child)
    await says(child, 'behind it')
    const written = says(child, 'while it looks')
    await write('c', 'while it looks')
    await written
    child.kill('SIGINT')
    expect((await end).code).toBe(0)
  })

  it('knows what became of a message, and what it caused', async () => {
    const mail = await json<{ messageId: string }>('send', 'note.mail', '{"to":"ann"}')
    expect(await json('status', mail.messageId)).toMatchObject({
      type: 'note.mail',
      state: expect.stringMatching(/pending|queued/),
    })
    expect((await obverse('consume', 'mail', '--stop-when-empty')).stdout).toContain('Processed command: note.mail')
    expect(await json('status', mail.messageId)).toMatchObject({ state: 'done', result: { mailed: 'ann' } })
    const [tree] = await json<TraceNode[]>('trace', first.messageId)
    expect(tree?.caused).toMatchObject([{ type: 'note.written', key: 'a' }])
    await ends(1, 'status', 'nothing-has-this-id')
    await ends(1, 'trace', 'nothing-has-this-id')
  })

  it('waits for an asynchronous command that somebody else handles', async () => {
    const consumer = start(['--app', app, 'consume', 'mail', '--limit', '1'])
    const end = ended(consumer)
    await says(consumer, 'consumer started')
    expect(await json('send', 'note.mail', '{"to":"bob"}', '--wait')).toMatchObject({
      state: 'done',
      result: { mailed: 'bob' },
    })
    expect((await end).code).toBe(0)
  })

  it('looks for what is wrong', async () => {
    const { stdout } = await obverse('doctor', '--json')
    expect((JSON.parse(stdout) as Finding[]).map(({ subject }) => subject)).toContain('store')
  })

  it('ends with 4 by its failure limit, with 5 by its memory limit', async () => {
    await obverse('channels', 'put', 'readers', 'not json')
    await ends(4, 'consume', 'readers', '--failure-limit', '1', '--time-limit', '20s')
    await ends(5, 'consume', 'readers', '--memory-limit', '1MB', '--time-limit', '20s')
  })

  it('drains on SIGTERM, and ends at once on a second', async () => {
    const idle = start(['--app', app, 'consume', 'readers'])
    const idleEnd = ended(idle)
    await says(idle, 'consumer started')
    idle.kill('SIGTERM')
    expect(await idleEnd).toMatchObject({ code: 0, stdout: expect.stringContaining('consumer stopped due to SIGTERM') })
    await write('d', 'HANG')
    const busy = start(['--app', app, 'consume', 'readers', '-vv'])
    const busyEnd = ended(busy)
    await says(busy, 'received note.written')
    busy.kill('SIGTERM')
    await new Promise((resolve) => busy.stderr?.once('data', resolve))
    busy.kill('SIGTERM')
    expect((await busyEnd).code).toBe(143)
  })

  it('runs the relay until it is told to stop', async () => {
    const child = start(['--app', app, 'relay'])
    const end = ended(child)
    await says(child, 'relay started')
    child.kill('SIGINT')
    expect((await end).code).toBe(0)
  })

  it('empties everything when told so', async () => {
    await ends(2, 'reset')
    await ends(0, 'reset', '--yes')
    expect((await obverse('log', 'tail')).stdout).toContain('The log is empty.')
    expect(await json<DeadLetter[]>('failed', 'list', '--state', 'skipped')).toEqual([])
  })
})

describe('obverse, where it cannot work', () => {
  let elsewhere: string
  beforeAll(() => {
    elsewhere = mkdtempSync(join(folder, 'elsewhere-'))
  })

  it('says that no application is named', async () => {
    const { code, stderr } = await ended(start(['describe'], { cwd: elsewhere }))
    expect(code).toBe(2)
    expect(stderr).toContain('error USAGE: No application is named; give --app FILE')
    expect(stderr).not.toContain('    at ')
  })

  it('ends with 3 when the store is not reachable', async () => {
    const file = join(elsewhere, 'a-file')
    writeFileSync(file, '')
    const { code, stderr } = await ended(start(['--app', app, 'channels', 'list'], { data: file }))
    expect(stderr).toContain('error STORE_UNREACHABLE')
    expect(code).toBe(3)
  })

  it('takes a closed pipe for no error', async () => {
    const line = `${process.execPath} --conditions=source ${bin} --help | head -1`
    const shell = spawn('bash', ['-o', 'pipefail', '-c', line], { cwd: root, env: env(folder) })
    expect(await ended(shell)).toEqual({ code: 0, stdout: expect.stringContaining('Operates'), stderr: '' })
  })
})
