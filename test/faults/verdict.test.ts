import { expect, test } from 'vitest'
import { EXACT, type Report } from './report.ts'
import type { Scenario } from './scenario.ts'
import { objections } from './verdict.ts'

const scenario: Scenario = { name: 'one', numbers: [], fault: 'something', count: 3, processes: { api: 1 } }
const parking = { deadLetters: 1, code: 'CRASH_LOOP', body: true, overtook: 0, waiting: 2, others: 3 }
const exact = { ...EXACT, name: 'one', stack: 'embedded', faults: 3, recovery: [], sent: 9 } as unknown as Report

test('a run that was exact has none', () => {
  expect(objections(scenario, exact, 3)).toEqual([])
  expect(objections({ ...scenario, poison: true }, { ...exact, dead: 1, parking }, 0)).toEqual([])
})

test.each(Object.keys(EXACT))('%s is one of them', (field) => {
  const wrong = { drained: false, odd: ['a'], leftRows: ['a'] }[field] ?? 1
  expect(objections(scenario, { ...exact, [field]: wrong }, 3)).toEqual([expect.stringContaining(`${field} is `)])
})

test('so are too few faults, what a scenario expects, and a key that was not held', () => {
  expect(objections(scenario, exact, 4)).toEqual(['3 faults, and there should be 4'])
  const expects = [{ says: 'pigs fly', holds: () => false }]
  expect(objections({ ...scenario, expects }, exact, 3)).toEqual([expect.stringContaining('not true: pigs fly')])
  const overtaken = { ...exact, dead: 1, parking: { ...parking, overtook: 1 } }
  expect(objections({ ...scenario, poison: true }, overtaken, 0)).toEqual([expect.stringContaining('"overtook":1')])
  expect(objections({ ...scenario, poison: true }, { ...exact, dead: 1 }, 0)).toHaveLength(1)
})
