import { ObverseError } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import { foldEvent } from './fold.ts'
import type { HotRows } from './hot-rows.ts'
import type { Applied } from './outcome.ts'
import type { AnyProjection, RowOperation } from './projection.ts'
import type { Recorder } from './record.ts'
import type { StoredRow } from './view.ts'
import { givenUp, load, reach, save, type Work } from './work.ts'

const TRIES = 5

export interface GatheringContext {
  readonly projection: AnyProjection
  readonly record: Recorder
  readonly hot?: HotRows<StoredRow>
  readonly guarded: boolean
}

type Step = { readonly event: EventEnvelope; readonly position: number; operations: readonly RowOperation[] }

/**
 * Applies events to a gathering view, in the order of their positions and without a hole since the checkpoint. Each
 * row refuses what it has seen. A failing event stops everything behind it.
 */
export function* applyGathering(context: GatheringContext, events: readonly EventEnvelope[]): Work<Applied> {
  const applied: Applied = { failed: [], behind: [], rows: 0, filled: 0 }
  const handled = events.filter((event) => context.projection.types.has(event.type))
  let steps = yield* record(context, handled, applied)
  for (let attempt = 1; steps.length > 0; attempt += 1) {
    if (attempt > TRIES) throw contended(context.projection)
    const loaded = yield* loadRows(context, steps)
    yield* reach('projection.loaded')
    const changed = yield* fold(context, handled, steps, loaded, applied)
    const refused = new Set(yield* save([...changed.values()]))
    yield* reach('projection.saved')
    if (attempt === 1) applied.rows = changed.size
    for (const row of changed.values()) {
      if (refused.has(row.id)) context.hot?.delete(row.id)
      else context.hot?.set(row.id, row)
    }
    steps = again(steps, refused)
  }
  return applied
}

function* record(context: GatheringContext, events: readonly EventEnvelope[], applied: Applied): Work<Step[]> {
  const steps: Step[] = []
  for (const event of events) {
    const position = positionOf(event)
    try {
      steps.push({ event, position, operations: context.record(event) })
    } catch (error) {
      if (yield* givenUp(event)) continue
      stop(events, event, error, applied)
      break
    }
  }
  return steps
}

function* loadRows({ hot }: GatheringContext, steps: readonly Step[]): Work<Map<string, StoredRow | undefined>> {
  const rows = new Map<string, StoredRow | undefined>()
  const ids: string[] = []
  for (const { operations } of steps) {
    for (const { id } of operations) {
      if (rows.has(id)) continue
      const row = hot?.get(id)
      rows.set(id, row)
      if (!row) ids.push(id)
    }
  }
  for (const row of yield* load(ids)) rows.set(row.id, row)
  return rows
}

function* fold(
  { projection, guarded }: GatheringContext,
  events: readonly EventEnvelope[],
  steps: Step[],
  loaded: ReadonlyMap<string, StoredRow | undefined>,
  applied: Applied,
): Work<Map<string, StoredRow>> {
  const changed = new Map<string, StoredRow>()
  const folding = { view: projection.view.name, key: null, loaded, changed, guarded }
  for (const [at, { event, position, operations }] of steps.entries()) {
    try {
      foldEvent(folding, event, position, operations)
    } catch (error) {
      if (yield* givenUp(event)) continue
      stop(events, event, error, applied)
      steps.length = at
    }
  }
  return changed
}

/** The same steps, for the refused rows alone. */
function again(steps: readonly Step[], refused: ReadonlySet<string>): Step[] {
  if (refused.size === 0) return []
  return steps
    .map((step) => ({ ...step, operations: step.operations.filter(({ id }) => refused.has(id)) }))
    .filter(({ operations }) => operations.length > 0)
}

/** A failure that comes earlier replaces the one before. */
function stop(events: readonly EventEnvelope[], event: EventEnvelope, error: unknown, applied: Applied): void {
  applied.failed.splice(0, applied.failed.length, { event, error })
  applied.behind.splice(0, applied.behind.length, ...events.slice(events.indexOf(event) + 1))
}

function positionOf(event: EventEnvelope): number {
  if (event.position !== undefined) return event.position
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `Event ${event.type} ${event.id} has no position; a gathering projection takes events from the log, or inline ` +
      'where a commit knows its position',
  )
}

function contended({ name, view }: AnyProjection): ObverseError {
  return new ObverseError(
    'STORE_BUSY',
    `Projection ${name}: rows of view ${view.name} were changed by another projector ${TRIES} times in a row`,
  )
}
