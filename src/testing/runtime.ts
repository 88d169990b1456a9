import type { Runtime } from 'obverse'
import { settled, Timers } from './clock.ts'
import { risingIds, seededRandom } from './random.ts'

export interface TestRuntimeOptions {
  /** Epoch milliseconds at the start. Default 2025-01-01T00:00:00Z. */
  readonly start?: number
  /** The same seed gives the same ids and chances. Default 1. Simulated processes share a runtime or differ in seed. */
  readonly seed?: number
  readonly reach?: Runtime['reach']
  readonly without?: Runtime['without']
}

/** A runtime in which nothing happens until the test says so. */
export interface TestRuntime extends Runtime {
  /** Moves both clocks, running what becomes due on the way, in order, each with all that follows from it. */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, back too, as a machine's correction does. */
  shift(ms: number): void
  /** Timers that have not run. */
  readonly timers: number
}

/**
 * @example
 * const runtime = testRuntime({ seed: 7 })
 * const app = createApp({ handlers, runtime })
 * await runtime.advance(1_000)
 */
export function testRuntime(options: TestRuntimeOptions = {}): TestRuntime {
  const { start = Date.UTC(2025, 0), seed = 1, reach, without } = options
  const timers = new Timers()
  const random = seededRandom(seed)
  let elapsed = 0
  let shift = 0
  const now = () => start + elapsed + shift
  return {
    now,
    elapsed: () => elapsed,
    after: (ms, work) => timers.add(elapsed + Math.max(0, ms), work),
    id: risingIds(now, seededRandom(seed ^ 0x5bd1e995)),
    random,
    ...(reach && { reach }),
    ...(without && { without }),
    async advance(ms) {
      const end = elapsed + ms
      await settled()
      for (let next = timers.next(); next !== undefined && next <= end; next = timers.next()) {
        elapsed = Math.max(elapsed, next)
        timers.runNext(elapsed)
        await settled()
      }
      elapsed = end
    },
    shift(ms) {
      shift += ms
    },
    get timers() {
      return timers.size
    },
  }
}
