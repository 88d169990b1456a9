import { type DeadLetter, type DeadLetters, type HeldState, isoTime, ObverseError, readEnvelope } from 'obverse'
import { enqueueBody } from './append.ts'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { promote } from './lane.ts'
import { type RefusedRow, reclaim } from './reclaim.ts'
import { statusPending, statusRefused, statusResumed } from './status.ts'

const COLUMNS = `h.id, h.message_id, h.type, h.channel, h.handler, h.key, h.state, h.attempts, h.code, h.reason, h.detail,
  h.at, h.body, h.original_body, h.note, h.tracked, h.lane, CASE WHEN h.lane = 1 THEN (SELECT count(*)
  FROM obverse_held b WHERE b.lane = 1 AND b.handler = h.handler AND b.key = h.key AND b.id > h.id) ELSE 0 END AS behind`
const LIST = `SELECT ${COLUMNS} FROM obverse_held h WHERE h.state = ?1 AND h.id > ?2
  AND (?3 IS NULL OR h.handler = ?3) AND (?4 IS NULL OR h.channel = ?4) AND (?5 IS NULL OR h.key = ?5)
  AND (?6 IS NULL OR h.code = ?6) AND (?7 IS NULL OR h.message_id = ?7) ORDER BY h.id LIMIT ?8`
const GET = `SELECT ${COLUMNS} FROM obverse_held h WHERE h.id = ?`
const DEAD = `SELECT id, message_id, channel, handler, key, tracked, lane, code, reason, body FROM obverse_held
  WHERE id = ? AND state = 'dead'`
const RETRY = `UPDATE obverse_held SET state = 'retry', due = ?, attempts = 0, owner = NULL, lost = 0 WHERE id = ?`
const EDIT = 'UPDATE obverse_held SET original_body = coalesce(original_body, body), body = ? WHERE id = ?'
const SKIP = `UPDATE obverse_held SET state = 'skipped', lane = 0, head = 0, note = ? WHERE id = ?`
const REMOVE = 'DELETE FROM obverse_held WHERE id = ?'
interface DeadRow {
  readonly id: number
  readonly message_id: string | null
  readonly channel: string
  readonly handler: string | null
  readonly key: string | null
  readonly tracked: number
  readonly lane: number
  readonly code: string
  readonly reason: string
  readonly body: string
}

interface ListedRow extends DeadRow {
  readonly type: string | null
  readonly state: HeldState
  readonly attempts: number
  readonly detail: string
  readonly at: string
  readonly original_body: string | null
  readonly note: string | null
  readonly behind: number
}

export function deadLetters(environment: Environment): DeadLetters {
  const { reader, writer, runtime } = environment
  const { connection: c } = writer
  const act = (id: number, action: (row: DeadRow) => void): Promise<boolean> =>
    writer.submit(() => {
      const row = c.get<DeadRow>(DEAD, id)
      if (row) action(row)
      return row !== undefined
    })
  const again = (row: DeadRow) => {
    c.run(RETRY, runtime.now(), row.id)
    if (row.tracked && row.message_id) statusPending(c, row.message_id, isoTime(runtime.now()))
  }
  const resume = (row: DeadRow, body: string) => {
    sendBack(c, row, body, runtime.now())
    if (row.message_id) statusResumed(c, row.message_id, isoTime(runtime.now()))
  }
  return {
    list: ({ handler, channel, key, code, messageId, state = 'dead', limit = 100, after = 0 } = {}) =>
      reader.read((r) =>
        r
          .all<ListedRow>(
            LIST,
            state,
            after,
            handler ?? null,
            channel ?? null,
            key ?? null,
            code ?? null,
            messageId ?? null,
            Math.min(limit, 1_000),
          )
          .map(letterOf),
      ),
    get: (id) =>
      reader.read((r) => {
        const row = r.get<ListedRow>(GET, id)
        return row && letterOf(row)
      }),
    retry: (id) =>
      act(id, (row) => {
        if (row.handler !== null) return again(row)
        resume(row, row.body)
        c.run(REMOVE, id)
      }),
    edit: (id, body) =>
      act(id, (row) => {
        if (row.message_id !== null) assertSameMessage(row.message_id, body)
        c.run(EDIT, body, id)
        if (row.handler !== null) return again(row)
        resume(row, body)
        c.run(SKIP, 'edited and sent to its channel again', id)
      }),
    skip: (id, note) =>
      act(id, (row) => {
        c.run(SKIP, note ?? null, id)
        if (row.lane && row.handler !== null && row.key !== null) promote(c, row.handler, row.key)
        if (row.handler === null && row.message_id) {
          statusRefused(c, row.message_id, row.code, row.reason, isoTime(runtime.now()))
        }
      }),
    reclaim: (knows) => reclaim(environment, knows, (row) => sendBack(c, row, row.body, runtime.now())),
  }
}

/** Handlers know a message by its id: under another one it would be handled twice. */
function assertSameMessage(messageId: string, body: string): void {
  let id: unknown
  try {
    id = (JSON.parse(body) as { id?: unknown } | null)?.id
  } catch {
    return // cannot carry another id; its handler will say what is wrong with it
  }
  if (id === undefined || id === messageId) return
  throw new ObverseError(
    'VALIDATION_FAILED',
    `The edited body has the id ${JSON.stringify(id)}; keep ${messageId}, by which its handlers know the message`,
    { fields: { id: [`must stay ${messageId}`] } },
  )
}

/** To its channel, as it came. */
function sendBack(c: Connection, { channel, message_id }: RefusedRow, body: string, now: number): void {
  let key: string | null = null
  try {
    key = readEnvelope(body).key
  } catch {
    // still unreadable: it will be refused again, with the same reason
  }
  enqueueBody(c, channel, message_id ?? '', key, body, now)
}

function letterOf(row: ListedRow): DeadLetter {
  return {
    id: row.id,
    messageId: row.message_id,
    type: row.type,
    channel: row.channel,
    handler: row.handler,
    key: row.key,
    state: row.state,
    attempts: row.attempts,
    code: row.code,
    reason: row.reason,
    detail: row.detail,
    at: row.at,
    behind: row.behind,
    body: row.body,
    ...(row.original_body !== null && { originalBody: row.original_body }),
    ...(row.note !== null && { note: row.note }),
  }
}
