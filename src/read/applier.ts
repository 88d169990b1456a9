import type { EventEnvelope } from '../message/envelope.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { applyGathering, type GatheringContext } from './apply-gathering.ts'
import { applyKeys, type KeyContext } from './apply-keys.ts'
import type { Log } from './feed.ts'
import { createHotRows, HOT_ROWS } from './hot-rows.ts'
import type { KeyState } from './lane.ts'
import type { Applied } from './outcome.ts'
import { performer } from './perform.ts'
import type { AnyProjection } from './projection.ts'
import { createRecorder } from './record.ts'
import type { StoredRow, ViewTable } from './view.ts'
import { drive, type Work } from './work.ts'

export interface ApplierOptions {
  readonly projection: AnyProjection
  /** One generation of the projection's view. */
  readonly table: ViewTable
  readonly log: Pick<Log, 'between' | 'after'>
  readonly runtime: Runtime
  readonly observer?: Observer
  /** True for an event that a person has skipped; asked only when it fails. */
  readonly givenUp?: (event: EventEnvelope) => Promise<boolean>
  /** Rows kept in memory. Default 4,000. */
  readonly hotRows?: number
  /**
   * The store may lose rows by itself: only keys of one row are kept in memory, since such a row is saved whole. Default
   * false.
   */
  readonly apart?: boolean
}

/** Brings events into one generation of a view. */
export interface Applier {
  /**
   * Applies a batch. A view of one key takes events in any order, again, late and with holes; a gathering view takes
   * them from the log, in order, all that lie in `span`.
   *
   * Rejects only when nothing is known (an outage): the same events may and must be applied again.
   */
  apply(events: readonly EventEnvelope[], span?: Span): Promise<Applied>
  /** Drops the rows in memory: somebody else has moved on. */
  forget(): void
}

/** Positions of the log, from above `after` up to `to`. */
export interface Span {
  readonly after: number
  readonly to: number
}

export function createApplier(options: ApplierOptions): Applier {
  const { projection, runtime, observer } = options
  const record = createRecorder(projection)
  const most = options.hotRows ?? HOT_ROWS
  const { table, log, givenUp } = options
  const perform = performer(table, log, [...projection.types], (request) =>
    request.kind === 'reach' ? runtime.reach?.(request.point) : (givenUp?.(request.event) ?? false),
  )

  const observed = async (events: number, work: Work<Applied>): Promise<Applied> => {
    const began = runtime.elapsed()
    const applied = await drive(work, perform)
    const { rows, filled } = applied
    observer?.({ step: 'projected', projection: projection.name, events, rows, filled, ms: runtime.elapsed() - began })
    return applied
  }

  if (projection.gathering) {
    const hot = createHotRows<StoredRow>(most)
    const context: GatheringContext = { projection, record, hot, guarded: !runtime.without?.has('guard-by-position') }
    let reached: number | undefined
    return {
      async apply(events, span) {
        // rows in memory are whole up to where the last batch ended, and of no use from anywhere else
        if (!span || span.after !== reached) hot.clear()
        reached = undefined
        const applied = await observed(events.length, applyGathering(context, events))
        if (applied.failed.length === 0) reached = span?.to
        return applied
      },
      forget() {
        reached = undefined
        hot.clear()
      },
    }
  }
  const hot = createHotRows<KeyState>(most, ({ rows }) => rows.size)
  const context: KeyContext = {
    projection,
    record,
    hot,
    together: false,
    single: options.apart ?? false,
    guarded: !runtime.without?.has('guard-by-seq'),
    fillJumps: !runtime.without?.has('jump-fill'),
    hiddenMarks: false,
  }
  return {
    apply: (events) => observed(events.length, applyKeys(context, events)),
    forget: () => hot.clear(),
  }
}
