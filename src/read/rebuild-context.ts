import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { Log } from './feed.ts'
import type { Generations } from './generation.ts'
import type { Parking } from './parking.ts'
import type { AnyProjection } from './projection.ts'

/** What rebuilding and switching a view need. */
export interface RebuildContext {
  readonly projection: AnyProjection
  readonly generations: Generations
  readonly checkpoints: Checkpoints
  readonly log: Log
  /** Gives positions to what is committed and has none yet, where somebody has to. */
  readonly stamp?: () => Promise<void>
  readonly parking: Pick<Parking, 'blocked' | 'givenUp'>
  readonly runtime: Runtime
  readonly observer?: Observer
  /** The rows are in another database than the log, with the checkpoint beside them: both may go while a rebuild runs. */
  readonly apart?: boolean
  /** Events of one batch. Default 1,000. */
  readonly batch?: number
}
