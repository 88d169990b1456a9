import type { Latency, Measure, Question, Sides } from './question.ts'

/** What `--json` prints. */
export interface Comparison {
  readonly name: string
  /** Median: operations per second, or milliseconds of the percentile in which ours compares worse. */
  readonly ours: number
  readonly twin: number
  /** Median of ours ÷ twin, or of twin ÷ ours where less is better, each pair measured side by side. Above 1 = ours is the better. */
  readonly ratio: number
  /** Half of (largest − smallest) ratio, as a share of the median. */
  readonly spread: number
  readonly unit: string
  readonly runs: number
  readonly peers: Readonly<Record<string, number>>
  /** Where times are compared: medians of both sides. */
  readonly percentiles?: Readonly<Record<Percentile, Sided>>
}

interface Sided {
  readonly ours: number
  readonly twin: number
}

type Percentile = keyof Latency

export interface CompareOptions {
  /** Counted pairs; one more is run first and dropped. */
  readonly runs: number
  readonly peers: boolean
  /** Milliseconds after which no new pair is begun. */
  readonly budget: number
}

interface Pair {
  readonly ours: Measure
  readonly twin: Measure
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
      peers[name] = Math.round(median([await peer(), await peer(), await peer()]))
    }
  }
  const latency = typeof pairs[0]?.ours === 'object'
  const { ratios, ...shown } = latency ? byTime(pairs) : byRate(pairs)
  const ratio = median(ratios)
  return {
    name: question.name,
    ...shown,
    ratio: rounded(ratio),
    spread: rounded((Math.max(...ratios) - Math.min(...ratios)) / 2 / ratio),
    unit: question.unit,
    runs: pairs.length,
    peers,
  }
}

function byRate(pairs: readonly Pair[]) {
  const ours = pairs.map((pair) => pair.ours as number)
  const twin = pairs.map((pair) => pair.twin as number)
  return {
    ours: Math.round(median(ours)),
    twin: Math.round(median(twin)),
    ratios: ours.map((rate, n) => rate / (twin[n] as number)),
  }
}

/** The percentile in which ours compares worse decides. */
function byTime(pairs: readonly Pair[]) {
  const of = (percentile: Percentile) => {
    const ours = pairs.map((pair) => (pair.ours as Latency)[percentile])
    const twin = pairs.map((pair) => (pair.twin as Latency)[percentile])
    return {
      ratios: ours.map((time, n) => (twin[n] as number) / time),
      sided: { ours: rounded(median(ours)), twin: rounded(median(twin)) },
    }
  }
  const [p50, p99] = [of('p50'), of('p99')]
  const { ratios, sided } = median(p50.ratios) < median(p99.ratios) ? p50 : p99
  return { ...sided, ratios, percentiles: { p50: p50.sided, p99: p99.sided } }
}

async function oursFirst(sides: Sides): Promise<Pair> {
  const ours = await sides.ours()
  return { ours, twin: await sides.twin() }
}

async function twinFirst(sides: Sides): Promise<Pair> {
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
