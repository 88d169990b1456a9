import { NUMBERED, scenariosFor } from '../numbers.ts'
import { scenarios } from '../scenarios.ts'

/** Every scenario, and of every number what shows it. */
export function listing() {
  return {
    scenarios: scenarios.map(({ name, numbers, stacks, count, fault, canaries = [] }) => ({
      name,
      numbers,
      stacks: stacks ?? ['embedded', 'servers'],
      count,
      fault,
      canaries: canaries.map(({ without }) => without.join('+')),
    })),
    numbers: NUMBERED.map((one) => ({ ...one, scenarios: scenariosFor(one.number) })),
  }
}

export function listText(): string {
  const { scenarios: all, numbers } = listing()
  const width = Math.max(...all.map(({ name }) => name.length)) + 2
  const lines = all.map(({ name, numbers: of, stacks, count, fault, canaries }) => {
    const where = stacks.length === 2 ? 'both' : (stacks[0] ?? '')
    const without = canaries.length > 0 ? `; canaries: ${canaries.join(', ')}` : ''
    return `${name.padEnd(width)}${of.join(' ').padEnd(6)}${where.padEnd(9)}${String(count).padStart(3)}  ${fault}${without}`
  })
  const shown = numbers.map(({ number, fault, scenarios: by, tests = [], notRun }) => {
    const why = notRun === undefined ? [] : [`not run: ${notRun}`]
    return `${String(number).padStart(2)}  ${fault}\n    ${[...by, ...tests, ...why].join('\n    ')}`
  })
  const head = `${'scenario'.padEnd(width)}${'no.'.padEnd(6)}${'stack'.padEnd(9)}  n  fault`
  return [head, ...lines, '', 'number, and what shows it', ...shown].join('\n')
}
