import type { Question, Sides } from './question.ts'

/** What `--json` prints. */
export interface Comparison {
  readonly name: string
  /** Median operations per second. */
  readonly ours: number
  readonly twin: number
  /** Median of ours ÷ twin, each pair measured side by side. Above 1 = ours is the better. */
  readonly ratio: number
  /** Half of (largest − smallest) ratio, as a share of the median. */
  readonly spread: number
  readonly unit: string
  readonly runs: number
  readonly peers: Readonly<Record<string, number>>
}

export interface CompareOptions {
  /** Counted pairs; one more is run first and dropped. */
  readonly runs: number
  readonly peers: boolean
  /** Milliseconds after which no new pair is begun. */
  readonly budget: number
}

/** Interleaves the sides, the order alternating, so that a noisy neighbour hits both. */
export async function compare(question: Question, sides: Sides, options: CompareOptions): Promise<Comparison> {
  const pairs: { ours: number; twin: number }[] = []
  const start = performance.now()
  for (let run = 0; run <= options.runs; run += 1) {
    if (run > 1 && performance.now() - start > options.budget) break
    const pair = run % 2 === 0 ? await oursFirst(sides) : await twinFirst(sides)
    if (run > 0) pairs.push(pair)
  }
  const peers: Record<string, number> = {}
  if (options.peers) {
    for (const [name, peer] of Object.entries(sides.peers ?? {})) {
      await peer()
      peers[name] = median([await peer(), await peer(), await peer()])
    }
  }
  const ratios = pairs.map((pair) => pair.ours / pair.twin)
  const ratio = median(ratios)
  return {
    name: question.name,
    ours: Math.round(median(pairs.map((pair) => pair.ours))),
    twin: Math.round(median(pairs.map((pair) => pair.twin))),
    ratio: rounded(ratio),
    spread: rounded((Math.max(...ratios) - Math.min(...ratios)) / 2 / ratio),
    unit: question.unit,
    runs: pairs.length,
    peers: Object.fromEntries(Object.entries(peers).map(([name, value]) => [name, Math.round(value)])),
  }
}

async function oursFirst(sides: Sides) {
  const ours = await sides.ours()
  return { ours, twin: await sides.twin() }
}

async function twinFirst(sides: Sides) {
  const twin = await sides.twin()
  return { ours: await sides.ours(), twin }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
