import type { Mutation } from 'obverse/testing'
import { runSeed } from './run.ts'

/**
 * Each protection that is taken away, with a seed that shows it. `settlement-fence` is not among them: what it keeps out is kept out
 * by the inbox as well, so that no seed shows its lack as long as that is there (test/faults shows both together).
 */
export const MUTATIONS: Readonly<Record<Exclude<Mutation, 'settlement-fence'>, number>> = {
  inbox: 1,
  'expected-version': 9,
  'guard-by-seq': 1,
  'guard-by-position': 1,
  'jump-fill': 112,
  'held-lane': 1,
  'attempt-first': 1,
  parking: 1,
  'idempotency-claim': 4,
  'one-commit': 1,
  'lane-order': 1,
  'checkpoint-fence': 8,
  'one-unconfirmed': 14,
  'log-by-position': 9,
  'outage-is-free': 95,
  'confirm-first': 7,
  'wait-for-token': 1,
  'catch-up-first': 5,
  'due-time': 1,
  'ack-last': 14,
  mandatory: 14,
  'unknown-is-unsent': 15,
  'lost-claims': 21,
  redelivered: 15,
  'checkpoint-beside-rows': 38,
  resubscribe: 27,
}

export interface Caught {
  readonly seed: number
  readonly violation: string
}

/** The first seed that shows what is missing. */
export async function catchMutation(mutation: Mutation, most: number, from = 1): Promise<Caught | undefined> {
  for (let seed = from; seed < from + most; seed += 1) {
    const { violations } = await runSeed(seed, { without: [mutation] })
    if (violations[0] !== undefined) return { seed, violation: violations[0] }
  }
  return undefined
}
