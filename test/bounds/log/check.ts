import type { Store } from 'obverse'
import { Findings, type Outcome } from '../outcome.ts'
import { FilledStore } from './store.ts'

export interface LogOptions {
  readonly name: string
  readonly small: Store
  readonly large: Store
  readonly count: number
}

const SMALL = 10_000
const RUNS = 5
/** Of the rate with few events, what is left of it with many. */
const LEAST = 0.75
const LEAST_REBUILT = 0.5
const MEASURES = ['append', 'relay', 'read'] as const

/** Compares what a store does with a long log and with a short one, in turns; then rebuilds a view from the long one. */
export async function longLog({ name, small, large, count }: LogOptions): Promise<Outcome> {
  const findings = new Findings()
  const figures: Record<string, number> = {}
  const short = await FilledStore.fill(`${name}, short`, small, SMALL)
  const long = await FilledStore.fill(`${name}, long`, large, count)
  try {
    const rates = { short: new Map<string, number[]>(), long: new Map<string, number[]>() }
    // the first is the warm-up
    for (let run = 0; run <= RUNS; run += 1) {
      for (const measure of MEASURES) {
        // each of them first in every other run
        const turns = [
          ['short', short],
          ['long', long],
        ] as const
        for (const [which, store] of run % 2 === 0 ? turns : turns.toReversed()) {
          const reached = await store[measure]()
          if (run > 0) rates[which].set(measure, [...(rates[which].get(measure) ?? []), reached])
        }
      }
    }
    for (const measure of MEASURES) {
      const [few, many] = [medianOf(rates.short.get(measure)), medianOf(rates.long.get(measure))]
      const ratio = Math.round((many / few) * 100) / 100
      Object.assign(figures, { [`${measure}Short`]: few, [`${measure}Long`]: many, [`${measure}Ratio`]: ratio })
      if (ratio < LEAST) findings.add(`${measure}: ${many}/s with ${count} events, ${few}/s with ${SMALL}`)
    }
    const { projected, rebuilt, told } = await long.project()
    const ratio = Math.round((rebuilt / projected) * 100) / 100
    Object.assign(figures, { projected, rebuilt, rebuiltRatio: ratio, progressTold: told })
    if (ratio < LEAST_REBUILT) findings.add(`a rebuild has ${rebuilt} events/s, a projection ${projected}`)
    if (told === 0) findings.add('a rebuild does not say how far it is')
  } finally {
    await Promise.all([short.close(), long.close()])
  }
  return { findings: findings.list(), figures }
}

function medianOf(values: readonly number[] = []): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
