import type { EventEnvelope } from '../message/envelope.ts'
import type { KeyRange } from './feed.ts'
import { hiddenId } from './mark.ts'
import type { RowOperation } from './projection.ts'
import { RowSet } from './row-set.ts'
import type { StoredRow } from './view.ts'

/** What is known of one key: everything up to `mark` is in the rows, which may be ahead of it but never behind. */
export interface KeyState {
  mark: number
  /** `undefined`: looked for and not there. */
  readonly rows: RowSet<StoredRow | undefined>
}

/** One key in one batch. */
export interface Lane {
  readonly key: string
  readonly state: KeyState
  /** As they came, by seq. */
  readonly delivered: readonly EventEnvelope[]
  /** To be applied, by seq: the delivered ones without duplicates, and what was missing between them. */
  events: EventEnvelope[]
  operations: (readonly RowOperation[])[]
  readonly changed: RowSet<StoredRow>
  /** The seq up to which everything is in, once `changed` is saved. */
  mark: number
  failure?: { readonly event: EventEnvelope; readonly error: unknown }
}

/** Events by key, each by seq. Events of other types than `types` are left out. */
export function byKey(events: readonly EventEnvelope[], types: ReadonlySet<string>): Map<string, EventEnvelope[]> {
  const keys = new Map<string, EventEnvelope[]>()
  for (const event of events) {
    if (!types.has(event.type)) continue
    const known = keys.get(event.key)
    if (!known) {
      keys.set(event.key, [event])
      continue
    }
    const last = known[known.length - 1]
    known.push(event)
    if (last && last.seq > event.seq) known.sort((a, b) => a.seq - b.seq)
  }
  return keys
}

export function createLane(key: string, delivered: readonly EventEnvelope[], state: KeyState, guarded: boolean): Lane {
  let last = state.mark
  const events: EventEnvelope[] = []
  for (const event of delivered) {
    if (guarded && event.seq <= last) continue
    events.push(event)
    last = event.seq
  }
  return { key, state, delivered, events, operations: [], changed: new RowSet(), mark: state.mark }
}

/** Where seqs are missing before or between the events of a lane: events of other types, or events that are still to come. */
export function jumpsOf(lane: Lane, ranges: KeyRange[]): void {
  let last = lane.state.mark
  for (const event of lane.events) {
    if (event.seq > last + 1) ranges.push({ key: lane.key, after: last, before: event.seq })
    last = event.seq
  }
}

/** Puts what the log gave for the jumps in its place. */
export function fill(lanes: ReadonlyMap<string, Lane>, missing: readonly EventEnvelope[]): void {
  const filled = new Set<Lane>()
  for (const event of missing) {
    const lane = lanes.get(event.key)
    if (!lane) continue
    lane.events.push(event)
    filled.add(lane)
  }
  for (const lane of filled) lane.events.sort((a, b) => a.seq - b.seq)
}

/** Nothing from `event` on is applied. */
export function stopAt(lane: Lane, event: EventEnvelope, error: unknown): void {
  lane.failure = { event, error }
  lane.events.length = lane.events.indexOf(event)
}

/** The row that will hold the mark of the key. */
export function markRow({ key, mark, state, changed }: Lane): StoredRow | undefined {
  const own = changed.get(key) ?? state.rows.get(key)
  if (own?.key !== key) return { id: hiddenId(key), key, mark, data: null }
  if (own.mark === mark && changed.has(key)) return own
  // a row that was loaded ahead of this batch promises more already
  return own.mark >= mark ? undefined : { ...own, mark }
}
