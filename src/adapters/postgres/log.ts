import type { EventEnvelope, KeyRange, Log, LogPage } from 'obverse'
import { type Environment, guards } from './environment.ts'
import { EVENT_COLUMNS, type EventRow, eventOf } from './event-row.ts'
import { statement } from './statement.ts'

/** Positions that one page of a reader of few types looks at, at least. */
const SCAN = 10_000

const HEAD = statement('log-head', 'SELECT max(position) AS head FROM obverse_position')
const AFTER = statement(
  'log-after',
  `SELECT ${EVENT_COLUMNS} FROM obverse_position p JOIN obverse_event e ON e.number = p.number
   WHERE p.position > $1 ORDER BY p.position LIMIT $2`,
)
/** The positions lead: the page has an end even where none of its events is of these types. */
const AFTER_OF_TYPES = statement(
  'log-after-types',
  `SELECT ${EVENT_COLUMNS} FROM obverse_position p JOIN obverse_event e ON e.number = p.number
   WHERE p.position > $1 AND p.position <= $2 AND e.type = ANY ($3::text[]) ORDER BY p.position LIMIT $4`,
)
/** Canary: by the number that the insertion drew, as if the order of commits were that of insertion. */
const AFTER_BY_NUMBER = statement(
  'log-after-number',
  `SELECT e.number AS position, e.id, e.type, e.schema_version AS "schemaVersion", e.key, e.seq, e.time, e.data, e.metadata
   FROM obverse_event e WHERE e.number > $1 ORDER BY e.number LIMIT $2`,
)
const BETWEEN = statement(
  'log-between',
  `SELECT ${EVENT_COLUMNS} FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS range(key, after, before)
   JOIN obverse_event e ON e.key = range.key AND e.seq > range.after AND e.seq < range.before
   LEFT JOIN obverse_position p ON p.number = e.number
   WHERE e.type = ANY ($4::text[]) ORDER BY e.key, e.seq`,
)
const POSITION_OF = statement(
  'log-position-of',
  `SELECT p.position FROM obverse_event e JOIN obverse_position p ON p.number = e.number WHERE e.key = $1 AND e.seq = $2`,
)
const CORRELATED = statement(
  'log-correlated',
  `SELECT ${EVENT_COLUMNS} FROM obverse_event e LEFT JOIN obverse_position p ON p.number = e.number
   WHERE e.correlation_id = $1 ORDER BY e.number LIMIT $2`,
)
const BY_ID = statement(
  'log-by-id',
  `SELECT ${EVENT_COLUMNS} FROM obverse_event e LEFT JOIN obverse_position p ON p.number = e.number WHERE e.id = $1`,
)

/** The log by position, which only committed events have. Pages go by a connection of the pool: they may be long. */
export function log(environment: Environment): Log {
  const { reader, registry, sessions } = environment
  const parse = (row: EventRow): EventEnvelope => eventOf(row, registry)
  const byPosition = guards(environment, 'log-by-position')
  const head = async () => (await reader.get<{ head: number | null }>(HEAD))?.head ?? 0

  const after = async (from: number, limit: number, types?: readonly string[]): Promise<LogPage> => {
    if (!byPosition) {
      const rows = await reader.all<EventRow>(AFTER_BY_NUMBER, [from, limit])
      return { events: rows.map(parse), scannedTo: rows.at(-1)?.position ?? from }
    }
    // the head is read first: everything up to it is visible to the statement of the page
    const last = await head()
    if (last <= from) return { events: [], scannedTo: from }
    const until = types ? Math.min(last, from + Math.max(limit, SCAN)) : last
    const rows = await sessions.lend((connection) =>
      types
        ? connection.all<EventRow>(AFTER_OF_TYPES, [from, until, types, limit])
        : connection.all<EventRow>(AFTER, [from, limit]),
    )
    const end = rows.at(-1)?.position ?? from
    return { events: rows.map(parse), scannedTo: rows.length === limit ? end : Math.max(until, end) }
  }
  return {
    after,
    between: async (ranges: readonly KeyRange[], types) => {
      const columns = [ranges.map((r) => r.key), ranges.map((r) => r.after), ranges.map((r) => r.before), types]
      return (await reader.all<EventRow>(BETWEEN, columns)).map(parse)
    },
    positionOf: async (key, seq) => (await reader.get<{ position: number }>(POSITION_OF, [key, seq]))?.position,
    head,
    correlated: async (correlationId, limit) =>
      (await reader.all<EventRow>(CORRELATED, [correlationId, limit])).map(parse),
    byId: async (id) => {
      const row = await reader.get<EventRow>(BY_ID, [id])
      return row && parse(row)
    },
  }
}
