import type { Measure, Question, Sides } from './question.ts'

/** What `--json` prints. */
export interface Comparison {
  readonly name: string
  /** Median: operations per second, or of the part in which ours compares worst. Without a twin: milliseconds, p50. */
  readonly ours: number
  readonly twin: number | null
  /** Median of ours ÷ twin, or of twin ÷ ours where less is better, each pair measured side by side. Above 1 = ours is the better. */
  readonly ratio: number | null
  /** Half of (largest − smallest) ratio, as a share of the median; without a twin, that of ours. */
  readonly spread: number
  readonly unit: string
  readonly runs: number
  readonly peers: Readonly<Record<string, number>>
  /** Where more than a rate is measured: medians of both sides, `rate` per second, the others in milliseconds. */
  readonly parts?: Parts
}

export type Parts = Partial<Record<PartName, Part>>

export interface Part {
  readonly ours: number
  readonly twin: number | null
  readonly ratio: number | null
}

const PARTS = ['rate', 'p50', 'p99'] as const
export type PartName = (typeof PARTS)[number]

export interface CompareOptions {
  /** Counted pairs; one more is run first and dropped. */
  readonly runs: number
  readonly peers: boolean
  /** Milliseconds after which no new pair is begun. */
  readonly budget: number
}

interface Pair {
  readonly ours: Measure
  readonly twin?: Measure
}

/** Interleaves the sides, the order alternating, so that a noisy neighbour hits both. */
export async function compare(question: Question, sides: Sides, options: CompareOptions): Promise<Comparison> {
  const pairs: Pair[] = []
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
      peers[name] = rounded(median([await peer(), await peer(), await peer()]))
    }
  }
  const parts = PARTS.flatMap((name) => compared(name, pairs))
  const { name, spread, ours, twin, ratio } = parts.toSorted(
    (a, b) => (a.ratio ?? 0) - (b.ratio ?? 0),
  )[0] as ComparedPart
  return {
    name: question.name,
    ours,
    twin,
    ratio,
    spread,
    unit: name === 'rate' ? question.unit : 'ms',
    runs: pairs.length,
    peers,
    ...(parts.length > 1 && { parts: Object.fromEntries(parts.map(({ name, spread: _, ...part }) => [name, part])) }),
  }
}

interface ComparedPart extends Part {
  readonly name: PartName
  readonly spread: number
}

/** Nothing where that part was not measured. */
function compared(name: PartName, pairs: readonly Pair[]): ComparedPart[] {
  const ours = pairs.flatMap((pair) => partOf(name, pair.ours))
  if (ours.length === 0) return []
  const twin = pairs.flatMap((pair) => (pair.twin === undefined ? [] : partOf(name, pair.twin)))
  const middle = rounded(median(ours))
  if (twin.length === 0) return [{ name, ours: middle, twin: null, ratio: null, spread: spreadOf(ours) }]
  const ratios = ours.map((value, n) => {
    const other = twin[n] as number
    return name === 'rate' ? value / other : other / value
  })
  return [{ name, ours: middle, twin: rounded(median(twin)), ratio: rounded(median(ratios)), spread: spreadOf(ratios) }]
}

function partOf(name: PartName, measure: Measure): number[] {
  const parts: Partial<Record<PartName, number>> = typeof measure === 'number' ? { rate: measure } : measure
  const value = parts[name]
  return value === undefined ? [] : [value]
}

async function oursFirst(sides: Sides): Promise<Pair> {
  const ours = await sides.ours()
  return { ours, ...(sides.twin && { twin: await sides.twin() }) }
}

async function twinFirst(sides: Sides): Promise<Pair> {
  const twin = await sides.twin?.()
  return { ours: await sides.ours(), ...(twin !== undefined && { twin }) }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

function spreadOf(values: readonly number[]): number {
  return rounded((Math.max(...values) - Math.min(...values)) / 2 / median(values))
}

/** Whole where a fraction would say nothing. */
function rounded(value: number): number {
  return value >= 1_000 ? Math.round(value) : Math.round(value * 1_000) / 1_000
}
