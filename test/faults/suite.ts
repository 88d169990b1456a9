import { appendFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { line, type Report, total } from './report.ts'
import { type RunOptions, run } from './run.ts'
import type { Canary, Scenario, StackName } from './scenario.ts'
import { scenariosOn } from './scenarios.ts'
import type { Stack } from './stack.ts'
import { objections } from './verdict.ts'

export interface Suite {
  readonly stack: Stack
  /** True: what it needs cannot be had here, as the run says. */
  readonly lacks?: (scenario: Scenario) => boolean
  /** Faults of a scenario, where nobody says how many. */
  readonly countOf: (scenario: Scenario) => number
  /** Runs of one line follow each other, those of different ones are side by side. */
  readonly lineOf: (scenario: Scenario, turn: number) => string
}

const PATIENT = { timeout: 3_600_000 }
/** A server that is killed may take longer to come back than a run waits for it; what was lost twice is lost. Both runs are printed. */
const AGAIN = { servers: 1, embedded: 0 } as const
const { OBVERSE_FAULTS: names = 'all', OBVERSE_FAULTS_ONLY: only, OBVERSE_FAULTS_REPORTS: file } = process.env
const wanted = process.env.OBVERSE_KILLS
const seed = Number(process.env.OBVERSE_SEED ?? Date.now() % 1_000_000)

/** Whether it is to be run, so that a file brings up only what is needed. */
export function isNamed({ name, thorough }: Scenario): boolean {
  return (names === 'all' && (!thorough || wanted !== undefined)) || names.split(',').includes(name)
}

/**
 * Declares the tests of one stack. In the environment: OBVERSE_FAULTS names scenarios, OBVERSE_FAULTS_ONLY leaves `scenarios`
 * or `canaries`, OBVERSE_KILLS is how many faults each scenario has, OBVERSE_SEED repeats the choices of a run, though not what
 * the machine makes of them, OBVERSE_FAULTS_REPORTS is a file that reports are appended to as JSON.
 */
export function suite({ stack, lacks = () => false, countOf, lineOf }: Suite): void {
  const all = scenariosOn(stack.name).filter(isNamed)
  const reports: Report[] = []
  const lines = new Map<string, Promise<unknown>>()
  let turn = 0
  const inTurn = (scenario: Scenario, options: Omit<RunOptions, 'stack'>): Promise<Report> => {
    const name = lineOf(scenario, turn++)
    const done = (lines.get(name) ?? Promise.resolve()).then(() => run(scenario, { ...options, stack }))
    const over = done.catch(() => {})
    lines.set(name, over)
    return done
  }

  afterAll(() => {
    if (reports.length > 0) console.log(total(reports, stack.versions))
  })

  const checked = only === 'canaries' ? [] : all
  describe.concurrent('nothing is lost or applied twice, every key keeps its order', () => {
    for (const scenario of checked) {
      const { name, fault } = scenario
      test.skipIf(lacks(scenario))(`${name}: ${fault}`, { ...PATIENT, retry: AGAIN[stack.name] }, async () => {
        const count = wanted === undefined || scenario.count === 0 ? countOf(scenario) : Number(wanted)
        const report = await inTurn(scenario, { seed, count })
        reports.push(report)
        tell(report)
        expect(objections(scenario, report, count)).toEqual([])
      })
    }
  })

  const watched = only === 'scenarios' ? [] : all.flatMap((scenario) => canariesOf(scenario, stack.name))
  if (watched.length > 0)
    describe.concurrent('and a protection that is taken away is missed', () => {
      for (const [scenario, canary] of watched) {
        const { without, count, crash, shows, seen } = canary
        const missing = without.join(', ')
        test.skipIf(lacks(scenario))(`${scenario.name} without ${missing}`, PATIENT, async () => {
          // chance decides whether a fault hurts: what one seed does not show, another does
          for (let tries = 0; tries < 3; tries += 1) {
            const report = await inTurn(scenario, { seed: seed + tries, count, without, ...(crash && { crash }) })
            tell(report, without)
            if (seen(report)) return
          }
          expect.fail(`without ${missing} there should be ${shows}`)
        })
      }
    })
}

function canariesOf(scenario: Scenario, stack: StackName): readonly (readonly [Scenario, Canary])[] {
  const { canaries = [] } = scenario
  const asked = wanted !== undefined || names !== 'all'
  return canaries
    .filter(({ stacks, thorough }) => (stacks?.includes(stack) ?? true) && (asked || !thorough))
    .map((canary) => [scenario, canary] as const)
}

function tell(report: Report, without?: Canary['without']): void {
  console.log(without ? `without ${without.join(', ')}, ${line(report)}` : line(report))
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ ...report, ...(without && { without }) })}\n`)
}
