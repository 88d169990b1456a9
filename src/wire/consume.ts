import { ObverseError } from '../errors.ts'
import { createLoop } from '../runtime/loop.ts'
import type { Channel } from './channel.ts'
import { createConsumer } from './consumer.ts'
import type { ConsumerDependencies } from './session.ts'
import { createSlots } from './slots.ts'
import { createTally } from './tally.ts'

/** When a consumer ends by itself. Without any limit it runs until `signal`. */
export interface ConsumeOptions {
  /** Messages. */
  readonly limit?: number
  /** Failed attempts. */
  readonly failureLimit?: number
  /** Milliseconds. */
  readonly timeLimit?: number
  /** Bytes of resident memory. */
  readonly memoryLimit?: number
  /** Ends once nothing is queued, running or due. */
  readonly stopWhenEmpty?: boolean
  /** Overrides that of the channels. */
  readonly concurrency?: number
  readonly signal?: AbortSignal
}

export interface Consumption {
  /** Messages that were settled, each once however many handlers it has: handled, held or given up. */
  readonly handled: number
  /** Failed attempts among them. */
  readonly failed: number
  readonly reason: 'limit' | 'failure-limit' | 'time-limit' | 'memory-limit' | 'empty' | 'signal' | 'stopped'
}

/** Milliseconds between looks whether all is empty, where nothing was handled meanwhile. */
const LOOK = 50
/** Milliseconds between looks at the memory, where nothing was handled meanwhile. */
const MEASURE = 1_000

/**
 * Consumes channels until a limit is reached: where there is more to do than room, those named first go first. Ends
 * as every consumer does: what runs is finished, the rest is given back.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` naming the option; what the broker says of a wrong channel
 */
export async function consume(
  dependencies: ConsumerDependencies,
  channels: readonly Channel[],
  options: ConsumeOptions = {},
): Promise<Consumption> {
  check(options)
  const { limit, failureLimit, timeLimit, memoryLimit, stopWhenEmpty, concurrency, signal } = options
  const { runtime, observe } = dependencies
  let reason: Consumption['reason'] | undefined
  let onReason: () => void = () => {}
  const decided = new Promise<void>((resolve) => {
    onReason = resolve
  })
  const end = (why: Consumption['reason']) => {
    reason ??= why
    onReason()
  }
  const measure = () => {
    if (memoryLimit !== undefined && process.memoryUsage.rss() >= memoryLimit) end('memory-limit')
  }
  const tally = createTally(limit, () => {
    const { settled, failed } = tally.counts
    if (limit !== undefined && settled >= limit) end('limit')
    else if (failureLimit !== undefined && failed >= failureLimit) end('failure-limit')
    else measure()
    if (stopWhenEmpty) looking.wake()
  })
  const all = channels.map((one) => (concurrency === undefined ? one : { ...one, concurrency }))
  const slots = createSlots(Math.max(1, ...all.map((one) => one.concurrency)))
  const consumers = all.map((one) => createConsumer(dependencies, one, { slots, tally }))
  const looking = createLoop({
    name: 'consume',
    idle: LOOK,
    runtime,
    async step() {
      for (const consumer of consumers) if (!(await consumer.empty())) return false
      end('empty')
      return false
    },
    onError: (error) => observe({ step: 'failed', part: 'consume', error }),
  })
  const measuring = createLoop({
    name: 'memory',
    idle: MEASURE,
    runtime,
    step: () => {
      measure()
      return false
    },
  })
  const onAbort = () => end('signal')
  signal?.addEventListener('abort', onAbort, { once: true })
  const cancelTime = timeLimit === undefined ? () => {} : runtime.after(timeLimit, () => end('time-limit'))
  try {
    if (signal?.aborted) end('signal')
    else await Promise.race([startAll(), decided])
    await decided
  } finally {
    cancelTime()
    signal?.removeEventListener('abort', onAbort)
    await Promise.all([
      looking.stop(),
      measuring.stop(),
      ...consumers.map((consumer) => consumer.stop(reason ?? 'stopped')),
    ])
  }
  return { handled: tally.counts.settled, failed: tally.counts.failed, reason: reason ?? 'stopped' }

  async function startAll(): Promise<void> {
    // one after the other, in order of priority: the first is offered the room first
    for (const consumer of consumers) {
      if (reason) return
      await consumer.start()
    }
    if (reason) return
    if (stopWhenEmpty) looking.start()
    if (memoryLimit !== undefined) measuring.start()
  }
}

function check({ signal: _signal, stopWhenEmpty: _stop, ...numbers }: ConsumeOptions): void {
  for (const [option, value] of Object.entries(numbers)) {
    const whole = option !== 'timeLimit'
    if (value === undefined || (value > 0 && (whole ? Number.isSafeInteger(value) : Number.isFinite(value)))) continue
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `${option} is ${value}; give a ${whole ? 'whole number from 1' : 'number above 0'}, or leave it out`,
    )
  }
}
