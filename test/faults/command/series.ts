import { type Progress, type RunOptions, run } from '../run.ts'
import type { Canary, Scenario } from '../scenario.ts'
import type { Stack } from '../stack.ts'
import { objections } from '../verdict.ts'
import { append, type Result, read } from './result.ts'

export interface SeriesOptions {
  readonly stack: Stack
  /** Faults in all. Default: those of the scenario. */
  readonly count: number | undefined
  readonly seed: number
  readonly file: string
  /** Goes on with the last series of the file. */
  readonly resume: boolean
  readonly onProgress: (progress: Progress) => void
}

/** Chance decides whether a fault hurts: what one seed does not show, another does. */
const TRIES = 3

/**
 * Runs a scenario again and again, on new stores each time, until there were so many faults; each run is in the file as
 * soon as it is over. Ends early with one that is not exact.
 */
export async function series(scenario: Scenario, options: SeriesOptions): Promise<readonly Result[]> {
  const { count = scenario.count, file, resume, onProgress, stack } = options
  const versions = versionsOf(stack)
  const results = resume ? [...lastSeries(scenario, stack, file)] : []
  const began = results[0]?.series ?? new Date().toISOString()
  let seed = results[0] === undefined ? options.seed : (results.at(-1)?.seed ?? 0) + 1
  const faults = () => results.reduce((sum, result) => sum + result.faults, 0)
  while (results.length === 0 || (faults() < count && results.at(-1)?.objections.length === 0)) {
    const before = faults()
    const part = Math.min(scenario.count, Math.max(1, count - before))
    const tell = (now: Progress) => onProgress({ ...now, faults: before + now.faults })
    const report = await run(scenario, { stack, seed, count: part, onProgress: tell })
    const result = { ...report, ...stamp(began, versions), count: part, objections: objections(scenario, report, part) }
    append(file, result)
    results.push(result)
    seed += 1
  }
  return results
}

/** The scenario with a protection taken away. One line of the file, of the last try. */
export async function watch(scenario: Scenario, canary: Canary, options: SeriesOptions): Promise<Result> {
  const { stack, seed, file, onProgress } = options
  const { without, count, crash, seen } = canary
  const began = new Date().toISOString()
  const attempt = async (at: number): Promise<Result> => {
    const how: RunOptions = { stack, seed: at, count, without, ...(crash && { crash }), onProgress }
    const report = await run(scenario, how)
    return { ...report, ...stamp(began, versionsOf(stack)), count, objections: [], without, seen: seen(report) }
  }
  let result = await attempt(seed)
  for (let tries = 1; tries < TRIES && !result.seen; tries += 1) result = await attempt(seed + tries)
  append(file, result)
  return result
}

function lastSeries({ name }: Scenario, stack: Stack, file: string): readonly Result[] {
  const mine = read(file).filter((one) => one.name === name && one.stack === stack.name && one.without === undefined)
  const last = mine.filter(({ series: began }) => began === mine.at(-1)?.series)
  const other = last.find(({ versions }) => versions !== versionsOf(stack))
  if (other) throw new OtherVersions(`${file} was begun on ${other.versions}, and this is ${versionsOf(stack)}`)
  return last
}

/** What would be added up is not the same. */
export class OtherVersions extends Error {}

function versionsOf({ versions }: Stack): string {
  return `Node ${process.versions.node}, ${versions}`
}

function stamp(began: string, versions: string) {
  return { series: began, at: new Date().toISOString(), versions }
}
