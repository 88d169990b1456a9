import { ObverseError } from '../errors.ts'
import type { TokenPart } from '../message/token.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { Log } from './feed.ts'
import type { Generations } from './generation.ts'
import type { Wanted } from './progress.ts'
import type { AnyProjection } from './projection.ts'
import type { ViewTable } from './view.ts'
import { createLine, type Line } from './waiting-line.ts'

export interface WaiterOptions {
  readonly generations: Generations
  readonly checkpointsFor: (projection: AnyProjection) => Pick<Checkpoints, 'get'>
  readonly log: Pick<Log, 'positionOf'>
  readonly runtime: Runtime
  /** True when a dead letter of this projection holds the key, so that waiting is in vain. */
  readonly parked?: (projection: AnyProjection, key: string) => Promise<boolean>
  /** Waits at one time in this process; more are refused with `OVERLOADED`. Default 10,000. */
  readonly limit?: number
}

/** Lets a query wait until a view shows what a token names. */
export interface Waiter {
  /**
   * Resolves with the table that shows every part whose type the projection handles. Read from this one: after a
   * switch another may be behind it.
   *
   * @throws {ObverseError} `CONSISTENCY_TIMEOUT` naming view, key, wanted and reached; `KEY_PARKED`; `OVERLOADED`
   */
  wait(
    projection: AnyProjection,
    parts: readonly TokenPart[],
    timeout: number,
    signal?: AbortSignal,
  ): Promise<ViewTable>
  /** Something was committed or projected: look now. */
  wake(): void
}

export function createWaiter(options: WaiterOptions): Waiter {
  const { generations, runtime, parked, limit = 10_000 } = options
  const lines = new Map<string, Line>()
  let waiting = 0

  const lineOf = (projection: AnyProjection) => {
    let line = lines.get(projection.name)
    if (!line) {
      line = createLine(projection, { ...options, checkpoints: options.checkpointsFor(projection) })
      lines.set(projection.name, line)
    }
    return line
  }
  return {
    wake() {
      for (const line of lines.values()) line.look()
    },
    async wait(projection, parts, timeout, signal) {
      const wanted = wantedOf(projection, parts)
      if (wanted.length === 0 || runtime.without?.has('wait-for-token')) {
        return (await generations.reading(projection.view)).table
      }
      if (waiting >= limit) {
        throw new ObverseError('OVERLOADED', `${waiting} queries wait for a token already; try again later`)
      }
      waiting += 1
      try {
        return await lineOf(projection).join({ wanted, timeout, ...(parked && { parked }), ...(signal && { signal }) })
      } finally {
        waiting -= 1
      }
    },
  }
}

/** The highest seq of each key among the parts that this projection handles. */
function wantedOf({ types }: AnyProjection, parts: readonly TokenPart[]): Wanted[] {
  const keys = new Map<string, number>()
  for (const { type, key, seq } of parts) if (types.has(type)) keys.set(key, Math.max(seq, keys.get(key) ?? 0))
  return [...keys].map(([key, seq]) => ({ key, seq }))
}
