import { ObverseError } from '../errors.ts'
import { knownOptions } from './options.ts'

/** How often and when a failed message is tried again. Only failures of the handler or the message count. */
export interface RetryPolicy {
  /** Tries after the first. Default 3. */
  readonly retries: number
  /** Milliseconds before the first retry. Default 1,000. */
  readonly delay: number
  /** Each wait is this many times the one before. Default 2. */
  readonly factor: number
  /** Longest wait, milliseconds. Default 60,000. */
  readonly maxDelay: number
  /** Share of the wait that chance may add; it only lengthens. Default 0.1. */
  readonly jitter: number
}

export const DEFAULT_RETRY: RetryPolicy = { retries: 3, delay: 1_000, factor: 2, maxDelay: 60_000, jitter: 0.1 }

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the option */
export function retryPolicy(given: Partial<RetryPolicy> = {}): RetryPolicy {
  knownOptions('retry', given, Object.keys(DEFAULT_RETRY))
  const policy = { ...DEFAULT_RETRY, ...given }
  for (const [name, least] of Object.entries({ retries: 0, delay: 0, factor: 1, maxDelay: 0, jitter: 0 })) {
    const value = policy[name as keyof RetryPolicy]
    if (!Number.isFinite(value) || value < least) {
      throw new ObverseError('CONFIGURATION_INVALID', `retry.${name} is ${value}; give a number from ${least}`)
    }
  }
  return policy
}

/** Milliseconds to wait after attempt number `attempt` (from 1) failed; `undefined` when attempts are used up. */
export function retryDelay(policy: RetryPolicy, attempt: number, random: () => number): number | undefined {
  if (attempt > policy.retries) return undefined
  const wait = Math.min(policy.delay * policy.factor ** (attempt - 1), policy.maxDelay)
  return Math.round(wait * (1 + random() * policy.jitter))
}

/** Milliseconds to wait before outage number `count` (from 1) is tried again: 50 ms doubling to `most`. */
export function outageDelay(count: number, random: () => number, most = 5_000): number {
  return Math.round(Math.min(50 * 2 ** Math.min(count - 1, 20), most) * (1 + random() * 0.1))
}
