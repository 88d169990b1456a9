import type { NewEvent } from 'obverse'
import pg from 'pg'

// One event with its version check, its outbox row and its mark of being unstamped, as an expert would write it by hand: the
// same tables with the same indexes, one prepared statement each.

const ONE = {
  name: 'twin-append',
  text: `WITH k AS (
    INSERT INTO obverse_key AS k (key, seq) VALUES ($1, $2 + 1)
    ON CONFLICT (key) DO UPDATE SET seq = excluded.seq WHERE k.seq = $2 RETURNING seq),
  e AS (
    INSERT INTO obverse_event (number, id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
    SELECT nextval('obverse_event_number'), $3, $4, $5, $1, seq, $6, $7, $8, $9, $10 FROM k RETURNING number),
  u AS (INSERT INTO obverse_unstamped (number) SELECT number FROM e)
  INSERT INTO obverse_queue (channel, message_id, key, event, at) SELECT $11, $3, $1, number, $12 FROM e`,
}
const MANY = {
  name: 'twin-append-many',
  text: `WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[],
      $9::text[], $10::text[], $11::text[])
      AS g(key, expected, id, type, version, time, correlation, causation, data, metadata, channel)),
  k AS (
    INSERT INTO obverse_key AS k (key, seq) SELECT key, expected + 1 FROM given
    ON CONFLICT (key) DO UPDATE SET seq = excluded.seq WHERE k.seq = excluded.seq - 1 RETURNING key, seq),
  e AS (
    INSERT INTO obverse_event (number, id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
    SELECT nextval('obverse_event_number'), id, type, version, key, seq, time, correlation, causation, data, metadata
    FROM given JOIN k USING (key) RETURNING number, key, id),
  u AS (INSERT INTO obverse_unstamped (number) SELECT number FROM e),
  q AS (INSERT INTO obverse_queue (channel, message_id, key, event, at)
    SELECT g.channel, e.id, e.key, e.number, $12 FROM e JOIN given g USING (key))
  SELECT key FROM k`,
}

export interface AppendTwin {
  append(event: NewEvent, expected: number): Promise<void>
  close(): Promise<void>
}

/** One statement for each event, on `connections`. */
export function oneByOne(url: string, connections: number): AppendTwin {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  return {
    async append(e, expected) {
      const values = [
        e.key,
        expected,
        e.id,
        e.type,
        e.schemaVersion,
        e.time,
        e.correlationId,
        e.causationId,
        e.data,
        e.metadata,
        e.channels[0],
        Date.now(),
      ]
      const { rowCount } = await pool.query({ ...ONE, values })
      if (rowCount !== 1) throw new Error('conflict')
    },
    close: () => pool.end(),
  }
}

interface Waiting {
  readonly event: NewEvent
  readonly expected: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Whatever came while a statement was under way goes with the next, on one connection. */
export async function coalescing(url: string): Promise<AppendTwin> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let waiting: Waiting[] = []
  let flying = false
  const fly = async () => {
    flying = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      const of = (value: (one: Waiting) => unknown) => group.map(value)
      try {
        const { rows } = await client.query({
          ...MANY,
          values: [
            of(({ event }) => event.key),
            of(({ expected }) => expected),
            of(({ event }) => event.id),
            of(({ event }) => event.type),
            of(({ event }) => event.schemaVersion),
            of(({ event }) => event.time),
            of(({ event }) => event.correlationId),
            of(({ event }) => event.causationId),
            of(({ event }) => event.data),
            of(({ event }) => event.metadata),
            of(({ event }) => event.channels[0]),
            Date.now(),
          ],
        })
        const done = new Set(rows.map(({ key }) => key))
        for (const { event, resolve, reject } of group) done.has(event.key) ? resolve() : reject(new Error('conflict'))
      } catch (error) {
        for (const { reject } of group) reject(error as Error)
      }
      // those who go on at once are there by then
      await new Promise((resolve) => setImmediate(resolve))
    }
    flying = false
  }
  return {
    append: (event, expected) =>
      new Promise((resolve, reject) => {
        waiting.push({ event, expected, resolve, reject })
        if (!flying) setImmediate(() => flying || fly())
      }),
    close: () => client.end(),
  }
}
