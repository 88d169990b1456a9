import { ObverseError } from '../errors.ts'
import { knownOptions } from '../runtime/options.ts'
import { type RetryPolicy, retryPolicy } from '../runtime/retry.ts'

/** The policy of a named queue. */
export interface ChannelOptions {
  /** Handlers that run at once in one consumer. Default 16. */
  readonly concurrency?: number
  /**
   * Unsettled messages a consumer takes. Default 100, never below `concurrency`. Of one key the stores' own queues give
   * at most an eighth of it (8 at least), so that a busy key leaves room for the others.
   */
  readonly prefetch?: number
  readonly retry?: Partial<RetryPolicy>
  /** Milliseconds a handler may take before its attempt counts as failed. Default 30,000. */
  readonly timeout?: number
  /**
   * Queues among which a broker divides the keys, each with one active consumer, so that several processes share an ordered
   * channel. Changed only when it is drained. Default 1; the stores' own queues divide by key and need none.
   */
  readonly partitions?: number
  /** False: no order by key, and nothing waits behind a failed message. Default true. */
  readonly ordered?: boolean
  /** Most messages of one batch for a projection. Default 1,000. */
  readonly batch?: number
}

export interface Channel {
  readonly name: string
  readonly concurrency: number
  readonly prefetch: number
  readonly retry: RetryPolicy
  readonly timeout: number
  readonly partitions: number
  readonly ordered: boolean
  readonly batch: number
}

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the channel and the option */
export function channel(name: string, options: ChannelOptions = {}): Channel {
  if (!/^[\w.-]{1,100}$/.test(name)) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `The channel name ${JSON.stringify(name)} needs 1 to 100 letters, digits, dots, dashes or underscores`,
    )
  }
  knownOptions(`channel ${name}`, options, [
    'concurrency',
    'prefetch',
    'retry',
    'timeout',
    'partitions',
    'ordered',
    'batch',
  ])
  const { concurrency = 16, prefetch = 100, timeout = 30_000, partitions = 1, ordered = true, batch = 1_000 } = options
  for (const [option, value] of Object.entries({ concurrency, prefetch, timeout, partitions, batch })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `${option} of channel ${name} is ${value}; give a whole number from 1`,
      )
    }
  }
  return {
    name,
    concurrency,
    prefetch: Math.max(prefetch, concurrency),
    retry: retryPolicy(options.retry),
    timeout,
    partitions,
    ordered,
    batch,
  }
}
