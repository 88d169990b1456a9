// Every fault that is to be shown is shown by something that exists, or is said not to be.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../processes.ts'
import { NUMBERED, scenariosFor } from './numbers.ts'
import { scenarios } from './scenarios.ts'

const meant = Array.from({ length: 34 }, (_, at) => at + 1).filter((number) => number !== 26)

test('none is missing', () => {
  expect(NUMBERED.map(({ number }) => number)).toEqual(meant)
})

describe.each(NUMBERED)('$number, $fault', ({ number, tests = [], notRun }) => {
  test('is shown, or said not to be', () => {
    const shown = [...scenariosFor(number), ...tests]
    if (shown.length === 0) expect(notRun?.length).toBeGreaterThan(10)
    for (const file of tests) expect(existsSync(join(root, file)), file).toBe(true)
  })

  test('is on the page, with what shows it', () => {
    const page = readFileSync(join(root, 'docs/faults.md'), 'utf8')
    const row = page.split('\n').find((line) => line.startsWith(`| ${number} |`))
    for (const name of [...scenariosFor(number), ...tests]) expect(row).toContain(`\`${name}\``)
    if (notRun) expect(row).toContain(notRun)
  })
})

test('scenarios have names of their own, and name no other numbers', () => {
  const names = scenarios.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(scenarios.flatMap(({ numbers }) => numbers).filter((number) => !meant.includes(number))).toEqual([])
})

test('the page names every scenario', () => {
  const page = readFileSync(join(root, 'docs/faults.md'), 'utf8')
  for (const { name } of scenarios) expect(page).toContain(`| \`${name}\` |`)
})
