import type { Mutation } from 'obverse/testing'
import { runSeed } from './run.ts'

/**
 * Each protection that is taken away, with a seed that shows it. `settlement-fence` is not among them: what it keeps out is kept out
 * by the inbox as well, so that no seed shows its lack as long as that is there (test/faults shows both together).
 */
export const MUTATIONS: Readonly<Record<Exclude<Mutation, 'settlement-fence'>, number>> = {
  inbox: 1,
  'expected-version': 12,
  'guard-by-seq': 1,
  'guard-by-position': 2,
  'jump-fill': 112,
  'held-lane': 1,
  'attempt-first': 1,
  parking: 1,
  'idempotency-claim': 2,
  'one-commit': 1,
  'lane-order': 1,
  'checkpoint-fence': 5,
  'one-unconfirmed': 9,
  'log-by-position': 51,
  'outage-is-free': 25,
  'confirm-first': 7,
  'wait-for-token': 1,
  'catch-up-first': 1,
  'due-time': 1,
  'ack-last': 8,
  mandatory: 14,
  'unknown-is-unsent': 12,
  'lost-claims': 59,
  redelivered: 15,
  'checkpoint-beside-rows': 38,
  resubscribe: 27,
}

export interface Caught {
  readonly seed: number
  readonly violation: string
}

/** The first of `most` seeds that shows what is missing. */
export async function catchMutations(
  without: readonly Mutation[],
  most: number,
  from = 1,
): Promise<Caught | undefined> {
  for (let seed = from; seed < from + most; seed += 1) {
    const { violations } = await runSeed(seed, { without })
    if (violations[0] !== undefined) return { seed, violation: violations[0] }
  }
  return undefined
}
