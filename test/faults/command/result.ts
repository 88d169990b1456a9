import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../processes.ts'
import type { Counted, Report, Sum } from '../report.ts'
import { counts, middleAndMost, sum } from '../report.ts'
import type { Canary, Scenario, StackName } from '../scenario.ts'

/** One line of a file of results: what one run came to. A long one is a series of these. */
export interface Result extends Report {
  /** When its series began, by which those are known that belong together. */
  readonly series: string
  readonly at: string
  readonly versions: string
  /** Of this run, so that it can be repeated alone. */
  readonly count: number
  /** What it should not have said. */
  readonly objections: readonly string[]
  /** Only with a protection taken away, … */
  readonly without?: Canary['without']
  /** … and whether that was seen. */
  readonly seen?: boolean
}

/** Where results are kept unless somebody names a file; git ignores it. */
export const FOLDER = join(root, '.faults')

export function fileOf({ name }: Scenario, stack: StackName): string {
  return join(FOLDER, `${name}-${stack}.jsonl`)
}

/** What a file has so far; a line that was cut off by the end of its process counts as never written. */
export function read(file: string): readonly Result[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.slice(0, -1).map((text) => JSON.parse(text) as Result)
}

/** Adds a line, in place of one that was cut off. */
export function append(file: string, result: Result): void {
  mkdirSync(dirname(file), { recursive: true })
  const whole = existsSync(file) ? readFileSync(file, 'utf8').replace(/[^\n]+$/, '') : ''
  // times are measured to less than that, and a thousand of them are read by people
  const recovery = result.recovery.map((ms) => Math.round(ms))
  writeFileSync(file, `${whole}${JSON.stringify({ ...result, recovery })}\n`)
}

/** What a series came to, or why it was not run. */
export type Outcome = (Answer & Omit<Sum, 'recovery'> & Ran) | (Answer & { readonly notRun: string })

interface Answer {
  readonly name: string
  readonly stack: StackName
  readonly numbers: readonly number[]
}

interface Ran {
  readonly exact: boolean
  readonly recovery: ReturnType<typeof middleAndMost> | null
  readonly runs: number
  /** Of the first run; the others follow it, one by one. */
  readonly seed: number
  readonly versions: string
  readonly objections: readonly string[]
  readonly without?: Canary['without']
  readonly seen?: boolean
}

export function outcomeOf({ name, numbers }: Scenario, stack: StackName, results: readonly Result[]): Outcome {
  const [first] = results
  if (!first) throw new Error(`${name} was not run`)
  const { recovery, ...counted } = sum(results)
  const { seed, versions, without, seen } = first
  return {
    name,
    stack,
    numbers,
    exact: results.every(({ objections }) => objections.length === 0),
    ...counted,
    recovery: middleAndMost(recovery) ?? null,
    runs: results.length,
    seed,
    versions,
    objections: results.flatMap(({ objections }) => objections),
    ...(without && { without, seen: seen ?? false }),
  }
}

/** Exact, or with a protection taken away and that was seen. */
export function isGood(outcome: Outcome): boolean {
  if ('notRun' in outcome) return false
  return outcome.without ? outcome.seen === true : outcome.exact
}

/** The same for people, in one line. */
export function lineOf(outcome: Outcome): string {
  const { name, stack } = outcome
  if ('notRun' in outcome) return `${name} (${stack}): not run, because ${outcome.notRun}`
  const { recovery, runs, seed, without, seen } = outcome
  const times = recovery ? `${recovery.p50}/${recovery.max} ms` : '-/-'
  const which = without
    ? ` without ${without.join(', ')}: ${seen ? 'seen' : 'NOT SEEN'}, `
    : `: ${outcome.exact ? 'exact' : 'NOT EXACT'}, `
  const text = `${name} (${stack})${which}${counts(outcome as Counted)}, recovery p50/max ${times}`
  return `${text}, seed ${seed}${runs > 1 ? ` and ${runs - 1} after it` : ''}`
}
