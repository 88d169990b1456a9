import { ObverseError } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import type { KeyRange } from './feed.ts'
import { foldEvent } from './fold.ts'
import type { HotRows } from './hot-rows.ts'
import { byKey, createLane, fill, jumpsOf, type KeyState, type Lane, markRow, stopAt } from './lane.ts'
import { hiddenId, markOf } from './mark.ts'
import { type Applied, failedBefore } from './outcome.ts'
import type { AnyProjection } from './projection.ts'
import type { Recorder } from './record.ts'
import { RowSet } from './row-set.ts'
import type { StoredRow } from './view.ts'
import { between, givenUp, load, reach, save, type Work } from './work.ts'

/** How often a batch is folded again because its rows were saved by somebody else meanwhile. */
const TRIES = 5

export interface KeyContext {
  readonly projection: AnyProjection
  readonly record: Recorder
  readonly hot?: HotRows<KeyState>
  /** Rows and marks are saved together or not at all: inside a transaction. */
  readonly together: boolean
  /** Only keys whose one row holds their mark are kept in memory. */
  readonly single?: boolean
  readonly guarded: boolean
  readonly fillJumps: boolean
  /** True once a mark was seen that is no row: then marks are always looked for. */
  hiddenMarks: boolean
}

/**
 * Applies events to a view of one key, in any order, with duplicates and holes: the rows are those of a fold of the
 * log. A failing event stops its key and no other. Marks are loaded before the other rows and saved after them.
 */
export function* applyKeys(context: KeyContext, events: readonly EventEnvelope[]): Work<Applied> {
  const applied: Applied = { failed: [], behind: [], rows: 0, filled: 0 }
  let open = byKey(events, context.projection.types)
  for (let attempt = 1; open.size > 0; attempt += 1) {
    if (attempt > TRIES) throw contended(context.projection)
    const lanes = yield* openLanes(context, open, attempt > 1)
    applied.filled += yield* fillLanes(context, lanes)
    yield* recordLanes(context, lanes)
    yield* loadRows(lanes)
    yield* reach('projection.loaded')
    yield* foldLanes(context, lanes)
    const refused = yield* saveLanes(context, lanes, applied)
    yield* reach('projection.saved')
    open = settle(context, lanes, refused, applied)
  }
  return applied
}

function* openLanes(
  context: KeyContext,
  open: ReadonlyMap<string, EventEnvelope[]>,
  again: boolean,
): Work<Map<string, Lane>> {
  const states = new Map<string, KeyState>()
  const ids: string[] = []
  for (const [key, delivered] of open) {
    const known = context.hot?.get(key)
    if (known) {
      states.set(key, known)
      continue
    }
    ids.push(key)
    // the first event of a key needs no mark: at worst the store refuses what follows from it
    if (again || context.hiddenMarks || (delivered[0]?.seq ?? 0) > 1) ids.push(hiddenId(key))
  }
  const found = new Map<string, StoredRow>()
  for (const row of yield* load(ids)) found.set(row.id, row)
  const lanes = new Map<string, Lane>()
  for (const [key, delivered] of open) {
    let state = states.get(key)
    if (!state) {
      const hidden = found.get(hiddenId(key))
      if (hidden) context.hiddenMarks = true
      state = { mark: 0, rows: new RowSet() }
      state.rows.set(key, found.get(key))
      if (hidden) state.rows.set(hidden.id, hidden)
      state.mark = markOf(key, state.rows)
    }
    lanes.set(key, createLane(key, delivered, state, context.guarded))
  }
  return lanes
}

function* fillLanes(context: KeyContext, lanes: ReadonlyMap<string, Lane>): Work<number> {
  if (!context.fillJumps) return 0
  const ranges: KeyRange[] = []
  for (const lane of lanes.values()) jumpsOf(lane, ranges)
  const missing = yield* between(ranges)
  fill(lanes, missing)
  return missing.length
}

function* recordLanes(context: KeyContext, lanes: ReadonlyMap<string, Lane>): Work<void> {
  for (const lane of lanes.values()) {
    for (const event of lane.events) {
      try {
        lane.operations.push(context.record(event))
      } catch (error) {
        if (yield* givenUp(event)) {
          lane.operations.push([])
          continue
        }
        stopAt(lane, event, error)
        break
      }
    }
  }
}

function* loadRows(lanes: ReadonlyMap<string, Lane>): Work<void> {
  const ids = new Set<string>()
  for (const { operations, state } of lanes.values()) {
    for (const each of operations) for (const { id } of each) if (!state.rows.has(id)) ids.add(id)
  }
  if (ids.size === 0) return
  const found = new Map<string, StoredRow>()
  for (const row of yield* load([...ids])) found.set(row.id, row)
  for (const { operations, state } of lanes.values()) {
    for (const each of operations) {
      // a batch beside this one may have put a newer row there meanwhile
      for (const { id } of each) if (ids.has(id) && !state.rows.has(id)) state.rows.set(id, found.get(id))
    }
  }
}

function* foldLanes({ projection, guarded }: KeyContext, lanes: ReadonlyMap<string, Lane>): Work<void> {
  const owners = new Map<string, string>()
  const view = projection.view.name
  for (const lane of lanes.values()) {
    const { key, state, changed, operations } = lane
    const folding = { view, key, loaded: state.rows, changed, guarded, owners }
    for (const [at, event] of lane.events.entries()) {
      try {
        foldEvent(folding, event, event.seq, operations[at] ?? [])
      } catch (error) {
        if (!(yield* givenUp(event))) {
          stopAt(lane, event, error)
          break
        }
      }
      lane.mark = event.seq
    }
  }
}

/** Returns the ids that were refused; the mark of a key is not saved when one of its rows was. */
function* saveLanes(
  context: KeyContext,
  lanes: ReadonlyMap<string, Lane>,
  applied: Applied,
): Work<ReadonlySet<string>> {
  const others: StoredRow[] = []
  const marks: StoredRow[] = []
  for (const lane of lanes.values()) {
    if (lane.events.length === 0) continue
    const mark = markRow(lane)
    if (mark) {
      marks.push(mark)
      lane.changed.set(mark.id, mark)
      if (mark.id !== lane.key) context.hiddenMarks = true
    }
    if (lane.changed.size > (mark ? 1 : 0)) {
      for (const row of lane.changed.rows()) if (row !== mark) others.push(row)
    }
  }
  applied.rows += others.length + marks.length
  if (context.together || others.length === 0) return new Set(yield* save([...others, ...marks]))
  const refused = new Set(yield* save(others))
  if (refused.size === 0) return new Set(yield* save(marks))
  const held = new Set<string>()
  for (const lane of lanes.values()) {
    for (const id of lane.changed.ids()) if (refused.has(id)) held.add(lane.key)
  }
  for (const id of yield* save(marks.filter((row) => !held.has(row.key ?? '')))) refused.add(id)
  return refused
}

/** Remembers what was saved; the keys of refused rows are looked at again. */
function settle(
  { hot, single }: KeyContext,
  lanes: ReadonlyMap<string, Lane>,
  refused: ReadonlySet<string>,
  applied: Applied,
): Map<string, EventEnvelope[]> {
  const again = new Map<string, EventEnvelope[]>()
  for (const lane of lanes.values()) {
    const { key, state, changed, failure, delivered } = lane
    if (refused.size > 0 && changed.ids().some((id) => refused.has(id))) {
      hot?.delete(key)
      again.set(key, [...delivered])
      continue
    }
    for (const row of changed.rows()) if ((state.rows.get(row.id)?.mark ?? 0) < row.mark) state.rows.set(row.id, row)
    if (lane.mark > state.mark) state.mark = lane.mark
    if (!single || isAlone(key, state)) hot?.set(key, state)
    if (failure) refuse(delivered, failure, applied)
  }
  return again
}

/** Everything of the key is in the row that is saved with every event of it. */
function isAlone(key: string, { rows }: KeyState): boolean {
  return rows.get(key)?.key === key && rows.ids().every((id) => id === key || rows.get(id) === undefined)
}

function refuse(delivered: readonly EventEnvelope[], failure: NonNullable<Lane['failure']>, applied: Applied): void {
  const { event, error } = failure
  const first = delivered.includes(event) ? event : delivered.find((other) => other.seq > event.seq)
  if (!first) return
  applied.failed.push({ event: first, error: first === event ? error : failedBefore(event, first, error) })
  for (const other of delivered) if (other !== first && other.seq >= event.seq) applied.behind.push(other)
}

function contended({ name, view }: AnyProjection): ObverseError {
  return new ObverseError(
    'STORE_BUSY',
    `Projection ${name}: rows of view ${view.name} were changed by another projector ${TRIES} times in a row`,
  )
}
