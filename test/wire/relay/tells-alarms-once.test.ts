import type { Finding, Step } from 'obverse'
import { expect, test } from 'vitest'
import { createWatch } from '../../../src/wire/watch.ts'

test('an alarm is told when it is first seen, and again when it has come back', async () => {
  const old: Finding = { level: 'warning', subject: 'session 7', says: 'it is old', remedy: 'end it' }
  const other: Finding = { level: 'warning', subject: 'slot x', says: 'nobody reads' }
  const steps: Step[] = []
  const looks: Finding[][] = [[], [old], [{ ...old, says: 'it is older' }], [old, other], [other], [old, other]]
  const watch = createWatch(
    async () => looks.shift() ?? [],
    (step) => steps.push(step),
  )
  while (looks.length > 0) expect(await watch()).toBe(false)
  expect(steps).toEqual([
    { step: 'warned', part: 'session 7', says: 'it is old', remedy: 'end it' },
    { step: 'warned', part: 'slot x', says: 'nobody reads' },
    { step: 'warned', part: 'session 7', says: 'it is old', remedy: 'end it' },
  ])
})
