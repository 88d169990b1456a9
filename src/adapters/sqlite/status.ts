import { isoTime, type MessageStatus, type Outgoing, type Statuses } from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'

const TRACK = `INSERT INTO obverse_status
  (message_id, type, state, correlation_id, causation_id, accepted_at, changed_at, due)
  VALUES (?, ?, 'pending', ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
const DONE = `UPDATE obverse_status SET state = 'done', result = ?, code = NULL, reason = NULL, changed_at = ?
  WHERE message_id = ?`
const FAILED = `UPDATE obverse_status SET state = 'failed', code = ?, reason = ?, changed_at = ? WHERE message_id = ?`
const REFUSED = `UPDATE obverse_status SET state = 'failed', code = ?, reason = ?, changed_at = ?
  WHERE message_id = ? AND state = 'pending'`
const RESUMED = `UPDATE obverse_status SET state = 'pending', code = NULL, reason = NULL, changed_at = ?
  WHERE message_id = ? AND state = 'failed'`
const PENDING = `UPDATE obverse_status SET state = 'pending', code = NULL, reason = NULL, changed_at = ?
  WHERE message_id = ?`
const CANCELLED = `UPDATE obverse_status SET state = 'cancelled', changed_at = ? WHERE message_id = ?`
const CALL_OFF = `DELETE FROM obverse_queue WHERE command = 1 AND message_id = ? AND taken = 0
  AND id NOT IN (SELECT id FROM obverse_claim)`
const COLUMNS = `message_id, type, state, result, code, reason, correlation_id, causation_id, accepted_at, changed_at, due`
const GET = `SELECT ${COLUMNS} FROM obverse_status WHERE message_id = ?`
const CORRELATED = `SELECT ${COLUMNS} FROM obverse_status WHERE correlation_id = ?
  ORDER BY accepted_at, message_id LIMIT ?`

export function trackMessage(
  c: Connection,
  { id, type, correlationId, causationId, due }: Outgoing,
  now: string,
): void {
  c.run(TRACK, id, type, correlationId, causationId, now, now, due === undefined ? null : isoTime(due))
}

export function statusDone(c: Connection, messageId: string, result: string | undefined, now: string): void {
  c.run(DONE, result ?? null, now, messageId)
}

export function statusFailed(c: Connection, messageId: string, code: string, reason: string, now: string): void {
  c.run(FAILED, code, reason, now, messageId)
}

/** No handler was found for it; one that was handled, or called off, stays so. */
export function statusRefused(c: Connection, messageId: string, code: string, reason: string, now: string): void {
  c.run(REFUSED, code, reason, now, messageId)
}

/** What was refused is on its way again. */
export function statusResumed(c: Connection, messageId: string, now: string): void {
  c.run(RESUMED, now, messageId)
}

export function statusPending(c: Connection, messageId: string, now: string): void {
  c.run(PENDING, now, messageId)
}

/** Takes a command that nobody ever took out of the queue. False: somebody has it or had it, or it is not there. */
export function cancelMessage(c: Connection, messageId: string, now: string): boolean {
  if (c.run(CALL_OFF, messageId) === 0) return false
  c.run(CANCELLED, now, messageId)
  return true
}

interface Row {
  readonly message_id: string
  readonly type: string
  readonly state: MessageStatus['state']
  readonly result: string | null
  readonly code: string | null
  readonly reason: string | null
  readonly correlation_id: string
  readonly causation_id: string | null
  readonly accepted_at: string
  readonly changed_at: string
  readonly due: string | null
}

export function statuses({ runtime, reader, writer }: Environment): Statuses {
  return {
    get: (messageId) =>
      reader.read((c) => {
        const row = c.get<Row>(GET, messageId)
        return row && statusOf(row)
      }),
    correlated: (correlationId, limit) =>
      reader.read((c) => c.all<Row>(CORRELATED, correlationId, limit).map(statusOf)),
    cancel: (messageId) => writer.submit(() => cancelMessage(writer.connection, messageId, isoTime(runtime.now()))),
  }
}

function statusOf(row: Row): MessageStatus {
  return {
    messageId: row.message_id,
    type: row.type,
    state: row.state,
    ...(row.result !== null && { result: row.result }),
    ...(row.code !== null && { code: row.code }),
    ...(row.reason !== null && { reason: row.reason }),
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    acceptedAt: row.accepted_at,
    changedAt: row.changed_at,
    ...(row.due !== null && { due: row.due }),
  }
}
