import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from '../../processes.ts'
import { NUMBERED, scenariosFor } from '../numbers.ts'
import type { StackName } from '../scenario.ts'
import { scenarios } from '../scenarios.ts'
import { FOLDER, isGood, outcomeOf, type Result, read } from './result.ts'

export const PAGE = join(root, 'docs/faults.md')
const BEGIN = '<!-- begin: npm run faults -- --page -->'
const END = '<!-- end -->'
const number = new Intl.NumberFormat('en-US')

/** Replaces the tables of the page by what the files of results have; everything that was run is in them. Gives its path. */
export function writePage(): string {
  const page = readFileSync(PAGE, 'utf8')
  const [before, after] = [page.split(BEGIN)[0], page.split(END)[1]]
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place between ${BEGIN} and ${END}`)
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${tables(allResults())}\n\n${END}${after}`)
  return relative(root, PAGE)
}

function allResults(): readonly Result[] {
  if (!existsSync(FOLDER)) return []
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl'))
  return files.flatMap((name) => read(join(FOLDER, name)))
}

function tables(results: readonly Result[]): string {
  const versions = [...new Set(results.map((one) => one.versions))].sort()
  return [
    '## By number',
    '',
    byNumber(results),
    '',
    '## By scenario',
    '',
    byScenario(results, versions),
    '',
    legend(versions),
  ].join('\n')
}

function byNumber(results: readonly Result[]): string {
  const rows = NUMBERED.map(({ number: at, fault, meant, tests = [], notRun }) => {
    const names = scenariosFor(at)
    const ran = results.filter(({ name, without }) => names.includes(name) && without === undefined)
    const faults = ran.reduce((sum, one) => sum + one.faults, 0)
    const shown = [...names.map((name) => `\`${name}\``), ...tests.map((file) => `\`${file}\``)].join(', ')
    return [at, fault, meant ?? '', names.length > 0 ? number.format(faults) : '', shown, notRun ?? '']
  })
  return table(['no.', 'fault', 'meant', 'faults run', 'shown by', 'not run'], rows)
}

function byScenario(results: readonly Result[], versions: readonly string[]): string {
  const rows = scenarios.flatMap(({ stacks = ['embedded', 'servers'] }, at) =>
    stacks.flatMap((stack) => rowsOf(at, stack, results, versions)),
  )
  const counted = ['faults', 'sent', 'lost', 'applied twice', 'ghosts', 'out of order', 'wrong rows']
  return table(['scenario', 'stack', ...counted, 'recovery p50/max', 'seeds', 'date', 'canaries seen'], rows)
}

/** One for each set of versions; a scenario that was not run says so. */
function rowsOf(at: number, stack: StackName, results: readonly Result[], versions: readonly string[]) {
  const scenario = scenarios[at]
  if (!scenario) return []
  const mine = results.filter((one) => one.name === scenario.name && one.stack === stack)
  const wanted = (scenario.canaries ?? []).filter(({ stacks }) => stacks?.includes(stack) ?? true).length
  const rows = versions.flatMap((version, place) => {
    const same = mine.filter((one) => one.versions === version)
    const ran = same.filter(({ without }) => without === undefined)
    if (ran.length === 0) return []
    const outcome = outcomeOf(scenario, stack, ran)
    if ('notRun' in outcome) return []
    const { recovery, faults, sent, lost, appliedTwice, ghosts, outOfOrder, wrongRows } = outcome
    const tried = same.length - ran.length
    const canaries = new Set(same.filter(({ seen }) => seen).map(({ without = [] }) => without.join()))
    return [
      [
        `\`${scenario.name}\``,
        `${stack} ${letter(place)}`,
        ...[faults, sent, lost, appliedTwice, ghosts, outOfOrder, wrongRows].map((count) => number.format(count)),
        recovery ? `${recovery.p50}/${recovery.max} ms` : '',
        `${ran[0]?.seed}${ran.length > 1 ? ` … ${ran.at(-1)?.seed}` : ''}`,
        `${ran.at(-1)?.at.slice(0, 10)}${isGood(outcome) ? '' : ' NOT EXACT'}`,
        wanted === 0 ? '' : tried === 0 ? 'not run' : `${canaries.size} of ${wanted}`,
      ],
    ]
  })
  return rows.length > 0 ? rows : [[`\`${scenario.name}\``, stack, 'not run', ...Array<string>(10).fill('')]]
}

function legend(versions: readonly string[]): string {
  return versions.map((version, place) => `${letter(place)}: ${version}`).join('  \n')
}

const letter = (place: number) => String.fromCharCode(65 + place)

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
