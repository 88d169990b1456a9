import type { EventEnvelope, KeyRange, Log, LogPage, Registry } from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { EVENT_COLUMNS, type EventRow, eventOf } from './event-row.ts'

/** Positions that one page of a reader of few types looks at, at least. */
const SCAN = 10_000

const HEAD = 'SELECT max(position) AS head FROM obverse_event'
const AFTER = `SELECT ${EVENT_COLUMNS} FROM obverse_event e WHERE e.position > ? ORDER BY e.position LIMIT ?`
const AFTER_OF_TYPES = `SELECT ${EVENT_COLUMNS} FROM obverse_event e
  WHERE e.position > ? AND e.position <= ? AND e.type IN (SELECT value FROM json_each(?)) ORDER BY e.position LIMIT ?`
/** CROSS JOIN: the ranges lead, and each finds its events by (key, seq). */
const BETWEEN = `SELECT ${EVENT_COLUMNS} FROM json_each(?) AS range CROSS JOIN obverse_event e
  WHERE e.key = range.value ->> 0 AND e.seq > range.value ->> 1 AND e.seq < range.value ->> 2
    AND e.type IN (SELECT value FROM json_each(?))
  ORDER BY e.key, e.seq`
const POSITION_OF = 'SELECT position FROM obverse_event WHERE key = ? AND seq = ?'
const CORRELATED = `SELECT ${EVENT_COLUMNS} FROM obverse_event e WHERE e.correlation_id = ? ORDER BY e.position LIMIT ?`
const BY_ID = `SELECT ${EVENT_COLUMNS} FROM obverse_event e WHERE e.id = ?`

export function log({ reader, registry }: Environment): Log {
  return {
    after: (after, limit, types) => reader.read((c) => readAfter(c, registry, after, limit, types)),
    between: (ranges, types) => reader.read((c) => readBetween(c, registry, ranges, types)),
    positionOf: (key, seq) => reader.read((c) => c.get<{ position: number }>(POSITION_OF, key, seq)?.position),
    head: () => reader.read(head),
    correlated: (correlationId, limit) =>
      reader.read((c) => c.all<EventRow>(CORRELATED, correlationId, limit).map((row) => eventOf(row, registry))),
    byId: (id) =>
      reader.read((c) => {
        const row = c.get<EventRow>(BY_ID, id)
        return row && eventOf(row, registry)
      }),
  }
}

function head(c: Connection): number {
  return c.get<{ head: number | null }>(HEAD)?.head ?? 0
}

/** The head is read first: everything up to it is visible to the rows' statement too. */
export function readAfter(
  c: Connection,
  registry: Registry,
  after: number,
  limit: number,
  types: readonly string[] | undefined,
): LogPage {
  const last = head(c)
  if (last <= after) return { events: [], scannedTo: after }
  const until = types ? Math.min(last, after + Math.max(limit, SCAN)) : last
  const rows = types
    ? c.all<EventRow>(AFTER_OF_TYPES, after, until, JSON.stringify(types), limit)
    : c.all<EventRow>(AFTER, after, limit)
  const end = rows.at(-1)?.position ?? after
  const events = rows.map((row) => eventOf(row, registry))
  return { events, scannedTo: rows.length === limit ? end : Math.max(until, end) }
}

export function readBetween(
  c: Connection,
  registry: Registry,
  ranges: readonly KeyRange[],
  types: readonly string[],
): EventEnvelope[] {
  if (ranges.length === 0) return []
  const list = JSON.stringify(ranges.map(({ key, after, before }) => [key, after, before]))
  return c.all<EventRow>(BETWEEN, list, JSON.stringify(types)).map((row) => eventOf(row, registry))
}
