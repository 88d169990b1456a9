// Every write of the embedded store, and every wait for its disk, fails once or ends the process; then the file is opened
// again. OBVERSE_FAULTS_SWEEP=all: each of them, otherwise some, evenly.
import { statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../processes.ts'
import { note } from '../servers/place.ts'
import { processFile } from './bundle.ts'
import { copy, type Found, look } from './sweep/file.ts'
import { type Call, calls, type Injected, inject, missing } from './sweep/injection.ts'

const OPERATIONS = 6
/** Two messages for each event: one of each handler's channel. */
const MESSAGES = 2
const SOME = 3
/** More calls than any run makes, and no more than strace counts. */
const NEVER = 60_000
const all = process.env.OBVERSE_FAULTS_SWEEP === 'all'
const names = (count: number) => Array.from({ length: count }, (_, at) => `op-${at + 1}`)

const folder = temporaryFolder('faults-sweep')
const [template, file] = [join(folder.path, 'template.db'), join(folder.path, 'ledger.db')]
afterAll(() => folder.remove())

/** Operations are there as a whole or not at all, in the order in which they were sent. */
function assertWhole(found: Found): void {
  expect(found.integrity).toBe('ok')
  expect(found.events).toEqual(found.state)
  expect(found.queued).toEqual([MESSAGES * found.state.length])
  expect(names(OPERATIONS).filter((name) => found.state.includes(name))).toEqual(found.state)
}

const lack = missing()
if (lack !== undefined) note(`skipped: the sweep of system calls, because ${lack}.`)

describe.skipIf(lack !== undefined)('the embedded store keeps what it has answered', () => {
  let writer: string
  const program = () => [writer, file, String(OPERATIONS)]
  const counts = new Map<Call, number>()

  beforeAll(async () => {
    writer = await processFile('writer.ts')
    // what makes the tables is not under test here
    await inject('fsync', 'EIO', NEVER, [writer, template, '0'])
    for (const call of ['pwrite64', 'fsync'] as const) {
      copy(template, file)
      counts.set(call, await calls(call, program(), join(folder.path, 'trace')))
    }
  }, 60_000)

  const injections: readonly (readonly [Injected, Call])[] = [
    ['SIGKILL', 'pwrite64'],
    ['SIGKILL', 'fsync'],
    ['EIO', 'pwrite64'],
    ['EIO', 'fsync'],
    ['ENOSPC', 'pwrite64'],
  ]
  test.each(injections)('%s at %s', { timeout: 1_800_000 }, async (what, call) => {
    const total = counts.get(call) ?? 0
    expect(total).toBeGreaterThan(OPERATIONS)
    const step = all ? 1 : Math.ceil(total / SOME)
    let [runs, killed, refused, answers] = [0, 0, 0, 0]
    for (let nth = 1; nth <= total; nth += step) {
      copy(template, file)
      const ending = await inject(call, what, nth, program())
      const answered = [...ending.output.matchAll(/^answered (op-\d+)$/gm)].map(([, name]) => name as string)
      const found = look(file)
      assertWhole(found)
      for (const name of answered) expect(found.state, `${what} at ${call} ${nth}: ${ending.output}`).toContain(name)
      runs += 1
      killed += ending.killed ? 1 : 0
      refused += [...ending.output.matchAll(/^refused /gm)].length
      answers += answered.length
    }
    note(`${what} at ${call}: ${runs} of ${total}, ${killed} killed, ${answers} answered, ${refused} refused, 0 lost`)
    if (what === 'SIGKILL') expect(killed).toBeGreaterThan(runs / 2)
  })

  test('and a log of which the end is torn has a beginning of them', async () => {
    copy(template, file)
    await inject('fsync', 'SIGKILL', (counts.get('fsync') ?? 0) - 1, program())
    const torn = join(folder.path, 'torn.db')
    const size = statSync(`${file}-wal`).size
    const lengths = new Set<number>()
    const tries = all ? 2_000 : 200
    for (let at = 0; at <= tries; at += 1) {
      copy(file, torn, ['', '-wal'])
      truncateSync(`${torn}-wal`, Math.floor((size * at) / tries))
      const found = look(torn)
      assertWhole(found)
      expect(found.state).toEqual(names(found.state.length))
      lengths.add(found.state.length)
    }
    // else nothing that matters was torn
    expect(lengths.size).toBeGreaterThan(2)
  })

  test('canary: without one-commit some write parts an operation from its messages', { timeout: 300_000 }, async () => {
    const total = counts.get('pwrite64') ?? 0
    copy(template, file)
    await inject('pwrite64', 'SIGKILL', NEVER, [...program(), 'one-commit'])
    expect(look(file).queued, 'undisturbed').toEqual([MESSAGES * OPERATIONS])
    for (let nth = total; nth > 0; nth -= 3) {
      copy(template, file)
      await inject('pwrite64', 'SIGKILL', nth, [...program(), 'one-commit'])
      const { state, queued } = look(file)
      if (queued[0] !== MESSAGES * state.length) return
    }
    expect.fail(`at none of ${total} writes`)
  })
})
