import type { EventStore, LoadedStream, Registry, Snapshot, Stream, StreamRequest } from 'obverse'
import { SEQ } from './append.ts'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { EVENT_COLUMNS, type EventRow, eventOf } from './event-row.ts'

const LOAD = `SELECT ${EVENT_COLUMNS} FROM obverse_event e WHERE e.key = ? AND e.seq > ? ORDER BY e.seq`
const SNAPSHOT = 'SELECT seq, state FROM obverse_snapshot WHERE name = ? AND key = ? AND version = ?'

export function eventStore({ reader, registry }: Environment): EventStore {
  return {
    load: (key, { after = 0, types } = {}) => reader.read((c) => load(c, registry, key, after, types)),
  }
}

/** What a decision is made on: the snapshot, if there is a usable one, and the events after it. */
export function loadStream(c: Connection, registry: Registry, request: StreamRequest): LoadedStream {
  const { key, types } = request
  const snapshot = request.snapshot && loadSnapshot(c, request.snapshot, key)
  const stream = load(c, registry, key, snapshot?.seq ?? 0, types)
  // a snapshot of more than the log has belongs to a log that was restored from a backup
  if (snapshot && snapshot.seq > stream.version) return load(c, registry, key, 0, types)
  return snapshot ? { ...stream, snapshot } : stream
}

function load(
  c: Connection,
  registry: Registry,
  key: string,
  after: number,
  types: readonly string[] | undefined,
): Stream {
  const version = c.get<{ seq: number }>(SEQ, key)?.seq ?? 0
  if (version <= after) return { version, events: [] }
  const rows = c.all<EventRow>(LOAD, key, after)
  const known = types ? rows.filter((row) => types.includes(row.type)) : rows
  return { version, events: known.map((row) => eventOf(row, registry)) }
}

function loadSnapshot(
  c: Connection,
  { name, version }: NonNullable<StreamRequest['snapshot']>,
  key: string,
): Snapshot | undefined {
  const row = c.get<{ seq: number; state: string }>(SNAPSHOT, name, key, version)
  return row && { seq: row.seq, state: JSON.parse(row.state) as unknown }
}
