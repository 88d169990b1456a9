import { randomUUIDv7 } from 'node:crypto'
import type { FaultPoint, Protection } from './faults.ts'

/**
 * Everything that differs from run to run: time, waiting, ids and chance. Nothing of Obverse asks the machine
 * directly, so a whole application can run under a seeded scheduler.
 */
export interface Runtime {
  /** Wall clock, epoch milliseconds. */
  now(): number
  /** Milliseconds that only grow, for durations and leases. */
  elapsed(): number
  /** Calls `work` once after `ms` milliseconds; the returned function cancels. */
  after(ms: number, work: () => void): () => void
  /** A UUID v7: rising by the millisecond, within one in no order. */
  id(): string
  /** From 0 up to, not including, 1. */
  random(): number
  /** Tests only: told of every step that has a name; may throw, delay or end the process. */
  readonly reach?: (point: FaultPoint) => void | Promise<void>
  /** Tests only: protections that are switched off, for canaries. */
  readonly without?: ReadonlySet<Protection>
}

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  },
  id: () => randomUUIDv7(),
  random: () => Math.random(),
}

/** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
export function sleep(runtime: Runtime, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = runtime.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** ISO 8601 in UTC with milliseconds. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
