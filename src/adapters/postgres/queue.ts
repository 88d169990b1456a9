import { bodyOfBytes, bytesOfBody, completeBody, type Settlement } from 'obverse'
import type { Connection } from './connection.ts'
import { type Statement, statement } from './statement.ts'
import { storable } from './text.ts'

/*
 * Of the plans of these statements: each is made once for a connection, perhaps while the tables were empty and everything
 * seemed to cost the same, and has to serve when they are large. So each is written in the way that only one index can
 * serve: by `= ANY` of an array, by a look-up `LIMIT 1` for each row, by an order that one index has.
 */

/** Rows that are there for whoever comes first, among them those that somebody has: `obverse_claim` tells. */
export const READY = 'due IS NULL AND retry_at IS NULL'

/** Ready rows of a channel in order, from its low water on. By two columns: what is before them in other channels is not read. */
export function inOrder(of: string): string {
  return `(q.channel, q.id) >= (${of}.channel, ${of}.low) AND (q.channel, q.id) < (${of}.channel, 9223372036854775807)
    AND q.due IS NULL AND q.retry_at IS NULL ORDER BY q.channel, q.id`
}

/** For an entry: who has these rows, which stay theirs until the transaction ends. */
export const OWNED: Statement = statement(
  'queue-owned',
  'SELECT id, owner FROM obverse_claim WHERE id = ANY ($1::bigint[]) FOR UPDATE',
)
/** Takes rows away for good, of whose owner {@link OWNED} has made sure. */
export const SETTLE: Statement = statement(
  'queue-settle',
  `WITH free AS (DELETE FROM obverse_claim WHERE id = ANY ($1::bigint[]))
   DELETE FROM obverse_queue WHERE id = ANY ($1::bigint[])`,
)
/** The claim decides: of two who end it, one finds it. */
const SETTLE_OWNED = statement(
  'queue-settle-owned',
  `WITH own AS (DELETE FROM obverse_claim WHERE id = ANY ($1::bigint[]) AND owner = $2 RETURNING id)
   DELETE FROM obverse_queue WHERE id = ANY (ARRAY(SELECT id FROM own)) RETURNING id`,
)
const SETTLE_ANY = statement(
  'queue-settle-any',
  `WITH free AS (DELETE FROM obverse_claim WHERE id = ANY ($1::bigint[]))
   DELETE FROM obverse_queue WHERE id = ANY ($1::bigint[]) RETURNING id`,
)
const GIVE_BACK = statement(
  'queue-give-back',
  `WITH free AS (DELETE FROM obverse_claim WHERE id = ANY ($2::bigint[]) AND owner = $1 RETURNING id)
   UPDATE obverse_queue SET taken = true WHERE id = ANY (ARRAY(SELECT id FROM free))`,
)
/** What an owner has by a claim whose answer was lost: nobody here has had it. $2: what it knows of. */
export const GIVE_UP: Statement = statement(
  'queue-give-up',
  'DELETE FROM obverse_claim WHERE owner = $1 AND id <> ALL ($2::bigint[])',
)
const ADD = statement(
  'queue-add',
  `INSERT INTO obverse_queue (channel, message_id, key, body, bytes, at)
   SELECT channel, id, key, body, bytes, $6
   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[]) WITH ORDINALITY AS m(channel, id, key, body, bytes, ord)
   ORDER BY ord`,
)
/**
 * What was delayed takes its place when it becomes due, behind what is there: a new row, with a new id. So nothing ever
 * becomes ready before what is ready already.
 */
const RIPEN = statement(
  'queue-ripen',
  `WITH ripe AS (DELETE FROM obverse_queue WHERE id = ANY (ARRAY(
       SELECT id FROM obverse_queue WHERE due <= $1 ORDER BY due LIMIT 1000 FOR UPDATE SKIP LOCKED)) RETURNING *),
   added AS (INSERT INTO obverse_queue (channel, message_id, key, event, body, bytes, command, at, taken)
     SELECT channel, message_id, key, event, body, bytes, command, at, taken FROM ripe ORDER BY due, id RETURNING 1)
   SELECT (SELECT count(*) FROM added) AS count,
     (SELECT due FROM obverse_queue WHERE due > $1 ORDER BY due LIMIT 1) AS next`,
)

export interface QueueMessage {
  readonly channel: string
  readonly messageId: string
  readonly key: string | null
  readonly body: string
}

/** Adds texts to their channels, whatever they are, in the order given. */
export async function enqueue(connection: Connection, messages: readonly QueueMessage[], now: number): Promise<void> {
  const bytes = messages.map(({ body }) => (body.includes('\0') || !body.isWellFormed() ? bytesOfBody(body) : null))
  await connection.run(ADD, [
    messages.map(({ channel }) => channel),
    messages.map(({ messageId }) => storable(messageId)),
    messages.map(({ key }) => (key === null ? null : storable(key))),
    messages.map(({ body }, at) => (bytes[at] ? null : body)),
    bytes,
    now,
  ])
}

/** Takes rows away for good that are still their owner's, and says which those were. */
export async function settle(
  connection: Connection,
  settlements: readonly Settlement[],
  fenced: boolean,
): Promise<ReadonlySet<number>> {
  const ofOwner = Map.groupBy(settlements, ({ owner }) => owner)
  const gone = await Promise.all(
    Array.from(ofOwner, ([owner, theirs]) => {
      const ids = theirs.map(({ queueId }) => queueId)
      return fenced
        ? connection.all<{ id: number }>(SETTLE_OWNED, [ids, owner])
        : connection.all<{ id: number }>(SETTLE_ANY, [ids])
    }),
  )
  return new Set(gone.flat().map(({ id }) => id))
}

/** Rows that were taken and are not wanted: they wait again, in their place. */
export async function giveBack(connection: Connection, owner: string, ids: readonly number[]): Promise<void> {
  await connection.run(GIVE_BACK, [owner, ids])
}

/** Lets in what has become due. Returns how many those were, and when the next is (epoch ms), if there is one. */
export async function ripen(
  connection: Connection,
  now: number,
): Promise<{ readonly count: number; readonly next: number | null }> {
  return (await connection.get(RIPEN, [now])) as { count: number; next: number | null }
}

/** Columns of a row `q`, its event `e` and the event's place `p` from which {@link bodyOfRow} makes the text of a row. */
export interface BodyColumns {
  readonly body: string | null
  readonly bytes: Buffer | null
  readonly seq: number | null
  readonly position: number | null
}

/** The text of a row, to the byte as it was put there; an event's with `seq` and, once it is known, `position`. */
export function bodyOfRow({ body, bytes, seq, position }: BodyColumns): string {
  return bytes ? bodyOfBytes(bytes) : completeBody(body ?? '', seq, position)
}

/** In SQL what `bodyOf` of an event does, to the byte: texts of JSON are written alike on both sides. */
export const EVENT_BODY = `concat('{"id":', to_json(e.id), ',"type":', to_json(e.type), ',"kind":"event","schemaVersion":',
  e.schema_version, ',"time":"', e.time, '","key":', to_json(e.key), ',"data":', e.data, ',"metadata":', e.metadata, '}')`
/** Of a row `q` of any kind, with its event `e`, if it has one. */
export const BODY: string = `CASE WHEN q.event IS NULL THEN q.body ELSE ${EVENT_BODY} END`
