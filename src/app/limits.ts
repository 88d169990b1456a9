import { ObverseError } from '../errors.ts'

/** Every bound with its default. */
export interface Limits {
  /** Characters of one message's data as JSON. Default 1,048,576. */
  readonly payload: number
  /** Events of one commit. Default 1,000. */
  readonly eventsPerCommit: number
  /** Times a conflicting command is run again. Default 5. */
  readonly conflictRetries: number
  /** Milliseconds a query waits for a token. Default 5,000. */
  readonly tokenWait: number
  /** Milliseconds a twin waits for the first request with its idempotency key. Default 5,000. */
  readonly idempotencyWait: number
  /** Commands that run or wait in this process; more are refused with `OVERLOADED`. Default 10,000. */
  readonly commandsInFlight: number
  /** Milliseconds `stop` lets running handlers finish. Default 10,000. */
  readonly drain: number
  /** Milliseconds inbox marks and stored answers are kept: longer than any redelivery. Default 7 days. */
  readonly remember: number
}

export const DEFAULT_LIMITS: Limits = {
  payload: 1_048_576,
  eventsPerCommit: 1_000,
  conflictRetries: 5,
  tokenWait: 5_000,
  idempotencyWait: 5_000,
  commandsInFlight: 10_000,
  drain: 10_000,
  remember: 7 * 24 * 3_600_000,
}

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the limit */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  const limits = { ...DEFAULT_LIMITS, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in DEFAULT_LIMITS)) throw new ObverseError('CONFIGURATION_INVALID', `There is no limit ${name}`)
    if (!Number.isFinite(value) || value < 0) {
      throw new ObverseError('CONFIGURATION_INVALID', `limits.${name} is ${value}; give a number from 0`)
    }
  }
  return limits
}
