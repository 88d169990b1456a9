import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RunningProcess } from '../processes.ts'

/** What a process needs in its environment so that its memory can be asked for. */
export const WATCHED: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--expose-gc --import=${pathToFileURL(join(import.meta.dirname, 'probe.ts'))}`,
}

/** Bytes that a process holds when all garbage is gone: heap and what is outside of it. */
export interface Sample {
  readonly held: number
  readonly resident: number
}

const asked = new WeakMap<RunningProcess, number>()

/** `undefined`: the process has ended. */
export async function sampleOf(process: RunningProcess): Promise<Sample | undefined> {
  const number = (asked.get(process) ?? 0) + 1
  asked.set(process, number)
  process.signal('SIGUSR2')
  const printed = process.printed(new RegExp(`memory ${number}: (\\d+) (\\d+)`), 60_000)
  const found = await printed.catch((error) => {
    if (!process.exit) throw error
  })
  if (!found) return undefined
  const [, held, resident] = found
  return { held: Number(held), resident: Number(resident) }
}

export interface Flatness {
  /** Median of the first samples after the warm-up, and of the last, in MB. */
  readonly begin: number
  readonly end: number
  /** `end` over `begin`. */
  readonly ratio: number
}

/** How far memory may be from where it was after the warm-up. */
export const MOST_GROWTH = 1.1

/** Compares the second quarter of the samples with the last one; the first quarter is the warm-up. */
export function flatnessOf(samples: readonly Sample[]): Flatness {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const begin = medianOf(samples.slice(quarter, 2 * quarter))
  const end = medianOf(samples.slice(-quarter))
  return { begin: megabytes(begin), end: megabytes(end), ratio: Math.round((end / begin) * 1_000) / 1_000 }
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10
}

function medianOf(samples: readonly Sample[]): number {
  const sorted = samples.map(({ held }) => held).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
