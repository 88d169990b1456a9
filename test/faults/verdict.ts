import { isDeepStrictEqual } from 'node:util'
import { EXACT, line, type Report } from './report.ts'
import type { Scenario } from './scenario.ts'

/** What a report says that a run of so many faults should not have said; nothing where it was exact. */
export function objections(scenario: Scenario, report: Report, count: number): readonly string[] {
  // what is given up on purpose is for the scenario to count
  const expected = { ...EXACT, dead: scenario.replay ? report.dead : scenario.poison ? 1 : 0 }
  const differing = Object.entries(expected).flatMap(([field, value]) => {
    const actual = report[field as keyof Report]
    return isDeepStrictEqual(actual, value) ? [] : [`${field} is ${text(actual)}, not ${text(value)}`]
  })
  const few = report.faults < count ? [`${report.faults} faults, and there should be ${count}`] : []
  const unmet = (scenario.expects ?? [])
    .filter(({ holds }) => !holds(report))
    .map(({ says }) => `not true: ${says} (${line(report)})`)
  return [...differing, ...few, ...unmet, ...(scenario.poison ? parkingOf(report) : [])]
}

/** A message that was given up holds its key and nothing else. */
function parkingOf({ parking }: Report): readonly string[] {
  if (!parking) return ['the poisoned message was not given up']
  const { deadLetters, code, body, overtook, others, waiting } = parking
  const held = deadLetters === 1 && code === 'CRASH_LOOP' && body && overtook === 0 && others > 0 && waiting > 0
  return held ? [] : [`parking is ${text(parking)}`]
}

const text = (value: unknown): string => JSON.stringify(value) ?? 'undefined'
