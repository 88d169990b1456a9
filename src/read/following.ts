import type { Runtime } from '../runtime/clock.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { Log } from './feed.ts'
import type { Served } from './generation.ts'
import type { AnyProjection } from './projection.ts'

/** Milliseconds after a switch during which another process may still believe in the generation before. */
const SETTLE = 1_000

/**
 * How long a projector goes through the log. For a view that is fed otherwise: from a switch on, until it has passed
 * every event that may have been written into the generation before, then no more.
 */
export interface Following {
  due(served: Served): boolean
  /** At the end of the log: ends the following when it has lasted long enough. Returns false: nothing more to do now. */
  caughtUp(served: Served, position: number): Promise<boolean>
}

export function createFollowing({
  projection,
  checkpoints,
  log,
  runtime,
  apart = false,
}: {
  readonly projection: AnyProjection
  readonly checkpoints: Checkpoints
  readonly log: Pick<Log, 'head'>
  readonly runtime: Runtime
  /** The rows are in another database than the log. */
  readonly apart?: boolean
}): Following {
  const always = projection.feed.kind === 'log' || projection.gathering || apart
  let since: { generation: number; at: number; until?: number } | undefined
  return {
    due: ({ pointer }) => always || pointer.followTo !== undefined,
    async caughtUp({ generation, pointer }, position) {
      if (projection.feed.kind === 'log' || projection.gathering || pointer.followTo === undefined) return false
      if (since?.generation !== generation) since = { generation, at: runtime.elapsed() }
      if (runtime.elapsed() - since.at < SETTLE) return false
      // what was written into the old generation is in the log by now
      since.until ??= Math.max(pointer.followTo, await log.head())
      if (position < since.until) return false
      const { followTo: _, ...rest } = pointer
      if (await checkpoints.setGeneration(projection.view.name, pointer, rest)) since = undefined
      return false
    },
  }
}
