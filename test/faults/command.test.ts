// What `npm run faults` prints, keeps and ends with.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { killAll, runToEnd, temporaryFolder } from '../processes.ts'
import { asked, UsageError } from './command/asked.ts'
import type { Result } from './command/result.ts'
import { scenarios } from './scenarios.ts'

const folder = temporaryFolder('faults-command')
afterAll(async () => {
  await killAll()
  folder.remove()
})

const faults = (...args: string[]) => runToEnd('test/faults/cli.ts', args, { timeout: 60_000 })
const linesOf = (text: string) => text.trim().split('\n')

describe('the list', () => {
  test('names every scenario, and what shows each number', async () => {
    const { code, stdout } = await faults('--list')
    expect(code).toBe(0)
    for (const { name, fault } of scenarios) expect(stdout).toMatch(new RegExp(`^${name} .*${fault}`, 'm'))
    expect(stdout).toMatch(/^ 6 {2}commits out of order.*\n {4}test\/adapters\/postgres\/log-order\.test\.ts/m)
  })

  test('is one line of JSON when that is asked for', async () => {
    const { stdout } = await faults('--list', '--json')
    expect(JSON.parse(stdout).scenarios.map(({ name }: { name: string }) => name)).toEqual(
      scenarios.map(({ name }) => name),
    )
  })
})

test.each([
  [[], 'which scenario?'],
  [['consumer-zombi'], 'no scenario is called consumer-zombi; --list names them'],
  [['8'], 'no scenario has the number 8; --list says what shows it'],
  [['poison', '--count', 'many'], '--count is a whole number, not many'],
  [['poison', '--stack', 'cloud'], '--stack is embedded or servers, not cloud'],
  [['poison', '--broker', 'postgres'], '--broker is rabbitmq or rabbitmq4, not postgres'],
  [['postgres-killed', '--stack', 'embedded'], 'postgres-killed is not for embedded'],
  [['poison', '--canary', '--resume'], '--canary has a number of its own'],
  [['--frob'], '--frob'],
] as const)('%j is not clear', (args, says) => {
  expect(() => asked(args)).toThrow(UsageError)
  expect(() => asked(args)).toThrow(says)
})

test('a number means its scenarios, each on a stack that has it', () => {
  expect(asked(['1', '--seed', '7'])).toMatchObject({ do: 'run', seed: 7, count: undefined })
  expect(asked(['1']).runs.map(({ scenario, stack }) => `${scenario.name} ${stack}`)).toEqual([
    'consumer-before-ack embedded',
    'consumer-before-ack-broker embedded',
  ])
  expect(new Set(asked(['10']).runs.map(({ stack }) => stack))).toEqual(new Set(['servers']))
  expect(asked(['all', '--stack', 'servers']).runs.length).toBe(scenarios.length)
})

test.each(['consumer-zombi', 'anybody --canary'])(
  'what is not clear (%s) ends with 2, and nothing is started',
  async (line) => {
    const { code, stdout, stderr } = await faults(...line.split(' '))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^no(ne)? /)
  },
)

describe('a run', () => {
  const file = join(folder.path, 'results.jsonl')
  const kept = () => linesOf(readFileSync(file, 'utf8')).map((text) => JSON.parse(text) as Result)

  test('ends in one line of counts, and is kept', { timeout: 60_000 }, async () => {
    const args = ['consumer-before-ack', '--count', '2', '--seed', '5', '--json', '--out', file]
    const { code, stdout, stderr } = await faults(...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [text, ...more] = linesOf(stdout)
    expect(more).toEqual([])
    const outcome = JSON.parse(text as string)
    expect(outcome).toMatchObject({
      name: 'consumer-before-ack',
      stack: 'embedded',
      numbers: [1],
      exact: true,
      seed: 5,
    })
    expect(outcome).toMatchObject({ lost: 0, appliedTwice: 0, outOfOrder: 0, runs: 1, objections: [] })
    expect(outcome.faults).toBeGreaterThanOrEqual(2)
    expect(outcome.sent).toBeGreaterThanOrEqual(100)
    expect(outcome.recovery.max).toBeGreaterThanOrEqual(outcome.recovery.p50)
    expect(outcome.versions).toContain('SQLite')
    expect(kept()).toMatchObject([{ seed: 5, count: 2, kills: outcome.faults, objections: [] }])
  })

  test('goes on where the file ends, a line that was cut off apart', { timeout: 60_000 }, async () => {
    const [first] = kept()
    appendFileSync(file, '{"name":"consumer-before-ack","sta')
    const args = ['consumer-before-ack', '--count', '4', '--seed', '99', '--resume', '--json', '--out', file]
    const { code, stdout } = await faults(...args)
    const outcome = JSON.parse(stdout)
    expect({ code, runs: outcome.runs, seed: outcome.seed }).toEqual({ code: 0, runs: 2, seed: 5 })
    const [again, second, ...more] = kept()
    expect(again).toEqual(first)
    expect(second).toMatchObject({ series: first?.series, seed: 6, count: 4 - (first?.faults ?? 0) })
    expect(more).toEqual([])
    expect(outcome.faults).toBe((first?.faults ?? 0) + (second?.faults ?? 0))
  })

  test('has nothing left to do when the file has enough', async () => {
    const before = readFileSync(file, 'utf8')
    const { code } = await faults('consumer-before-ack', '--count', '4', '--resume', '--out', file)
    expect({ code, after: readFileSync(file, 'utf8') }).toEqual({ code: 0, after: before })
  })

  test('is not added up with one of other versions', async () => {
    const other = join(folder.path, 'other.jsonl')
    appendFileSync(other, `${JSON.stringify({ ...kept()[0], versions: 'Node 1, SQLite 1' })}\n`)
    const { code, stderr } = await faults('consumer-before-ack', '--count', '9', '--resume', '--out', other)
    expect(stderr).toContain('was begun on Node 1, SQLite 1')
    expect(code).toBe(2)
  })

  test('that is not exact ends with 1 and says why', { timeout: 60_000 }, async () => {
    // a line of the file counts as the run that it was
    const inexact = join(folder.path, 'inexact.jsonl')
    appendFileSync(inexact, `${JSON.stringify({ ...kept()[0], lost: 1, objections: ['lost is 1, not 0'] })}\n`)
    const { code, stdout, stderr } = await faults('consumer-before-ack', '--count', '9', '--resume', '--out', inexact)
    expect(stdout).toContain('NOT EXACT')
    expect(stderr).toContain('lost is 1, not 0')
    expect(code).toBe(1)
  })

  test('without a protection is seen to lack it', { timeout: 60_000 }, async () => {
    const { code, stdout } = await faults('consumer-before-ack-broker', '--canary', '--json', '--out', file)
    expect(JSON.parse(stdout)).toMatchObject({ without: ['inbox'], seen: true })
    expect(code).toBe(0)
  })
})
