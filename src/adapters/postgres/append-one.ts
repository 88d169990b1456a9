import type { Appending } from './appending.ts'
import type { Connection } from './connection.ts'
import { statement } from './statement.ts'

/** One event of a key that is at no version, or at any. */
const FIRST = statement(
  'append-one',
  one(`INSERT INTO obverse_key AS k (key, seq) VALUES ($1, 1)
    ON CONFLICT (key) DO UPDATE SET seq = k.seq + 1 WHERE $2::bigint IS NULL OR k.seq = $2 RETURNING seq`),
)
/** One event of a key that is at the version expected. */
const NEXT = statement(
  'append-next',
  one('UPDATE obverse_key SET seq = seq + 1 WHERE key = $1 AND seq = $2 RETURNING seq'),
)

/** What `append` writes, without arrays: for a lone event that goes to one channel at most, as most events do. */
function one(placing: string): string {
  return `WITH placed AS (${placing}),
  numbered AS MATERIALIZED (SELECT nextval('obverse_event_number') AS number, seq FROM placed),
  events AS (
    INSERT INTO obverse_event (number, id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
    SELECT number, $3, $4, $5, $1, seq, $6, $7, $8, $9, $10 FROM numbered),
  unstamped AS (INSERT INTO obverse_unstamped (number) SELECT number FROM numbered),
  queued AS (
    INSERT INTO obverse_queue (channel, message_id, key, event, at)
    SELECT $11, $3, $1, number, $12 FROM numbered WHERE $11::text IS NOT NULL)
  SELECT seq - 1 AS base FROM placed`
}

export function isLone({ events }: Appending): boolean {
  const [event] = events
  return events.length === 1 && event !== undefined && event.channels.length <= 1 && event.due === undefined
}

/** The seq before the event; `undefined`: its expected version does not hold. */
export async function appendOne(
  connection: Connection,
  { key, expected, events }: Appending,
  now: number,
): Promise<number | undefined> {
  const [event] = events
  if (!event) return undefined
  const row = await connection.get<{ base: number }>(expected ? NEXT : FIRST, [
    key,
    expected,
    event.id,
    event.type,
    event.schemaVersion,
    event.time,
    event.correlationId,
    event.causationId,
    event.data,
    event.metadata,
    event.channels[0] ?? null,
    now,
  ])
  return row?.base
}
