// Kills of real processes, counted. OBVERSE_KILLS sets how many for each scenario; OBVERSE_SEED repeats the choices of a
// run, though not what the machine makes of them.
import { afterAll, describe, expect, test } from 'vitest'
import { EXACT, line, type Report, total } from './report.ts'
import { type RunOptions, run } from './run.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'

const seed = Number(process.env.OBVERSE_SEED ?? Date.now() % 1_000_000)
const wanted = process.env.OBVERSE_KILLS
const killsOf = ({ kills }: Scenario) => (wanted === undefined || kills === 0 ? kills : Number(wanted))
const reports: Report[] = []

/** Two at once: while one waits for the disk, the other works. */
const slots = [Promise.resolve(), Promise.resolve()]
let turn = 0
function inTurn(scenario: Scenario, options: RunOptions): Promise<Report> {
  const slot = turn++ % slots.length
  const done = (slots[slot] as Promise<void>).then(() => run(scenario, options))
  slots[slot] = done.then(
    () => {},
    () => {},
  )
  return done
}

const PATIENT = { timeout: 3_600_000 }
afterAll(() => console.log(total(reports)))

describe.concurrent('nothing is lost, nothing is applied twice, every key keeps its order', () => {
  test.each(scenarios.map((scenario) => ({ ...scenario, scenario })))('$name', PATIENT, async ({ scenario }) => {
    const kills = killsOf(scenario)
    const report = await inTurn(scenario, { seed, kills })
    reports.push(report)
    console.log(line(report))
    const { parking, ...rest } = report
    expect(rest).toMatchObject({ ...EXACT, dead: scenario.poison ? 1 : 0 })
    expect(report.kills + report.stops).toBeGreaterThanOrEqual(kills)
    if (!scenario.poison) return
    expect(parking).toMatchObject({ deadLetters: 1, code: 'CRASH_LOOP', body: true, overtook: 0 })
    expect(parking?.others).toBeGreaterThan(0)
    expect(parking?.waiting).toBeGreaterThan(0)
  })
})

const canaries = scenarios.flatMap((scenario) =>
  (scenario.canaries ?? []).map((canary) => ({
    canary,
    scenario,
    of: scenario.name,
    missing: canary.without.join(', '),
  })),
)

describe.concurrent('and a protection that is taken away is missed', () => {
  test.each(canaries)('without $missing: $of', PATIENT, async ({ canary, scenario, missing }) => {
    const { kills, without, crash, shows, seen } = canary
    // chance decides whether a kill hurts: what one seed does not show, another does
    for (let tries = 0; tries < 3; tries += 1) {
      const report = await inTurn(scenario, { seed: seed + tries, kills, without, ...(crash && { crash }) })
      console.log(`without ${missing}, ${line(report)}`)
      if (seen(report)) return
    }
    expect.fail(`without ${missing} there should be ${shows}`)
  })
})
