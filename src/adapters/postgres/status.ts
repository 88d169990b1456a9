import { isoTime, type MessageStatus, type Outgoing, type Statuses } from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { statement } from './statement.ts'
import { storable } from './text.ts'

const TRACK = statement(
  'status-track',
  `INSERT INTO obverse_status (message_id, type, state, correlation_id, causation_id, accepted_at, changed_at, due)
   SELECT m.id, m.type, 'pending', m.correlation, m.causation, $6, $6, m.due
   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS m(id, type, correlation, causation, due)
   ON CONFLICT DO NOTHING`,
)
const DONE = statement(
  'status-done',
  `UPDATE obverse_status SET state = 'done', result = ($2::text[])[array_position($1::text[], message_id)], code = NULL,
     reason = NULL, changed_at = $3
   WHERE message_id = ANY ($1::text[])`,
)
const FAILED = statement(
  'status-failed',
  `UPDATE obverse_status SET state = 'failed', code = $2, reason = $3, changed_at = $4 WHERE message_id = $1`,
)
const REFUSED = statement(
  'status-refused',
  `UPDATE obverse_status SET state = 'failed', code = $2, reason = $3, changed_at = $4
   WHERE message_id = $1 AND state = 'pending'`,
)
const RESUMED = statement(
  'status-resumed',
  `UPDATE obverse_status SET state = 'pending', code = NULL, reason = NULL, changed_at = $2
   WHERE message_id = $1 AND state = 'failed'`,
)
const PENDING = statement(
  'status-pending',
  `UPDATE obverse_status SET state = 'pending', code = NULL, reason = NULL, changed_at = $2 WHERE message_id = $1`,
)
/**
 * Rows that nobody ever took go. Who calls off claims first, as whoever takes does: of two at once one wins. The claim stays
 * behind for the other to find; it has no owner, and is tidied away with those of the dead.
 */
const CALL_OFF = statement(
  'status-call-off',
  `WITH won AS (INSERT INTO obverse_claim (id, channel, owner)
     SELECT id, channel, '' FROM obverse_queue WHERE command AND message_id = ANY ($1::text[]) AND NOT taken
     ON CONFLICT DO NOTHING RETURNING id),
   gone AS (DELETE FROM obverse_queue WHERE id = ANY (ARRAY(SELECT id FROM won)) AND NOT taken RETURNING message_id),
   cancelled AS (UPDATE obverse_status SET state = 'cancelled', changed_at = $2
     WHERE message_id = ANY (ARRAY(SELECT message_id FROM gone)))
   SELECT DISTINCT message_id AS id FROM gone`,
)
const COLUMNS = `message_id AS "messageId", type, state, result, code, reason, correlation_id AS "correlationId",
  causation_id AS "causationId", accepted_at AS "acceptedAt", changed_at AS "changedAt", due`
const GET = statement('status-get', `SELECT ${COLUMNS} FROM obverse_status WHERE message_id = $1`)
const CORRELATED = statement(
  'status-correlated',
  `SELECT ${COLUMNS} FROM obverse_status WHERE correlation_id = $1 ORDER BY accepted_at, message_id LIMIT $2`,
)

export async function trackMessages(connection: Connection, messages: readonly Outgoing[], now: string): Promise<void> {
  if (messages.length === 0) return
  await connection.run(TRACK, [
    messages.map(({ id }) => id),
    messages.map(({ type }) => type),
    messages.map(({ correlationId }) => correlationId),
    messages.map(({ causationId }) => causationId),
    messages.map(({ due }) => (due === undefined ? null : isoTime(due))),
    now,
  ])
}

export async function statusesDone(
  connection: Connection,
  done: readonly { readonly messageId: string; readonly result?: string }[],
  now: string,
): Promise<void> {
  if (done.length === 0) return
  const ids = done.map(({ messageId }) => storable(messageId))
  await connection.run(DONE, [ids, done.map(({ result }) => result ?? null), now])
}

export async function statusFailed(
  connection: Connection,
  messageId: string,
  code: string,
  reason: string,
  now: string,
): Promise<void> {
  await connection.run(FAILED, [storable(messageId), storable(code), storable(reason), now])
}

/** No handler was found for it; one that was handled, or called off, stays so. */
export async function statusRefused(
  connection: Connection,
  messageId: string,
  code: string,
  reason: string,
  now: string,
): Promise<void> {
  await connection.run(REFUSED, [storable(messageId), storable(code), storable(reason), now])
}

/** What was refused is on its way again. */
export async function statusResumed(connection: Connection, messageId: string, now: string): Promise<void> {
  await connection.run(RESUMED, [storable(messageId), now])
}

export async function statusPending(connection: Connection, messageId: string, now: string): Promise<void> {
  await connection.run(PENDING, [storable(messageId), now])
}

/**
 * Takes commands that nobody ever took out of the queue, and returns which. The others: somebody has them or had them, or
 * they are not there.
 */
export async function cancelMessages(connection: Connection, ids: readonly string[], now: string): Promise<string[]> {
  if (ids.length === 0) return []
  const gone = await connection.all<{ id: string }>(CALL_OFF, [ids.map(storable), now])
  return gone.map(({ id }) => id)
}

export function statuses({ runtime, reader, writer, news }: Environment): Statuses {
  return {
    async get(messageId) {
      const row = await reader.get<Row>(GET, [storable(messageId)])
      return row && statusOf(row)
    },
    async correlated(correlationId, limit) {
      const rows = await reader.all<Row>(CORRELATED, [storable(correlationId), limit])
      return rows.map(statusOf)
    },
    async cancel(messageId) {
      const gone = await cancelMessages(await writer.connection(), [messageId], isoTime(runtime.now()))
      if (gone.length > 0) news()
      return gone.length > 0
    },
  }
}

type Optional = 'result' | 'code' | 'reason' | 'due'
type Row = Omit<MessageStatus, Optional> & Record<Optional, string | null>

function statusOf({ result, code, reason, due, ...row }: Row): MessageStatus {
  return {
    ...row,
    ...(result !== null && { result }),
    ...(code !== null && { code }),
    ...(reason !== null && { reason }),
    ...(due !== null && { due }),
  }
}
