import {
  bodyOfBytes,
  bytesOfBody,
  type DeadLetter,
  type DeadLetters,
  type HeldState,
  isoTime,
  ObverseError,
  readEnvelope,
} from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { promote } from './lane.ts'
import { lockLanes } from './lane-lock.ts'
import { enqueue, type QueueMessage } from './queue.ts'
import { reclaim } from './reclaim.ts'
import { statement } from './statement.ts'
import { statusPending, statusRefused, statusResumed } from './status.ts'
import { storable } from './text.ts'
import { inTransaction } from './transaction.ts'

const COLUMNS = `h.id, h.message_id AS "messageId", h.type, h.channel, h.handler, h.key, h.state, h.attempts, h.code, h.reason,
  h.detail, h.at, h.body, h.original_body AS "originalBody", h.note, CASE WHEN h.lane THEN (SELECT count(*)
  FROM obverse_held b WHERE b.lane AND b.handler = h.handler AND b.key = h.key AND b.id > h.id) ELSE 0 END AS behind`
const LIST = statement(
  'dead-list',
  `SELECT ${COLUMNS} FROM obverse_held h WHERE h.state = $1 AND h.id > $2
   AND ($3::text IS NULL OR h.handler = $3) AND ($4::text IS NULL OR h.channel = $4) AND ($5::text IS NULL OR h.key = $5)
   AND ($6::text IS NULL OR h.code = $6) AND ($7::text IS NULL OR h.message_id = $7) ORDER BY h.id LIMIT $8`,
)
const GET = statement('dead-get', `SELECT ${COLUMNS} FROM obverse_held h WHERE h.id = $1`)
const ROW = `SELECT id, message_id AS "messageId", channel, handler, key, tracked, lane, code, reason, body
  FROM obverse_held WHERE id = $1 AND state = 'dead'`
const DEAD = statement('dead-row', ROW)
const STILL_DEAD = statement('dead-still', `${ROW} FOR UPDATE`)
const RETRY = statement(
  'dead-retry',
  `UPDATE obverse_held SET state = 'retry', due = $2, attempts = 0, owner = NULL, lost = false WHERE id = $1`,
)
const EDIT = statement(
  'dead-edit',
  'UPDATE obverse_held SET original_body = coalesce(original_body, body), body = $2::bytea WHERE id = $1',
)
const SKIP = statement(
  'dead-skip',
  `UPDATE obverse_held SET state = 'skipped', lane = false, head = false, note = $2 WHERE id = $1`,
)
const REMOVE = statement('dead-remove', 'DELETE FROM obverse_held WHERE id = $1')

interface DeadRow {
  readonly id: number
  readonly messageId: string | null
  readonly channel: string
  readonly handler: string | null
  readonly key: string | null
  readonly tracked: boolean
  readonly lane: boolean
  readonly code: string
  readonly reason: string
  readonly body: Buffer
}

interface ListedRow extends Omit<DeadLetter, 'body' | 'originalBody' | 'note'> {
  readonly body: Buffer
  readonly originalBody: Buffer | null
  readonly note: string | null
}

export function deadLetters(environment: Environment): DeadLetters {
  const { reader, runtime } = environment
  const act = (id: number, action: (connection: Connection, row: DeadRow) => Promise<void>): Promise<boolean> =>
    inTransaction(environment, async (connection) => {
      const found = await connection.get<DeadRow>(DEAD, [id])
      if (!found) return false
      const { handler, key } = found
      const [, row] = await Promise.all([
        handler !== null && key !== null && lockLanes(connection, [{ handler, key }]),
        connection.get<DeadRow>(STILL_DEAD, [id]),
      ])
      if (row) await action(connection, row)
      return row !== undefined
    })
  const again = async (connection: Connection, { id, tracked, messageId }: DeadRow) => {
    await connection.run(RETRY, [id, runtime.now()])
    if (tracked && messageId) await statusPending(connection, messageId, isoTime(runtime.now()))
  }
  const resume = async (connection: Connection, { messageId, channel }: DeadRow, body: string) => {
    await enqueue(connection, [asItCame(channel, messageId, body)], runtime.now())
    if (messageId) await statusResumed(connection, messageId, isoTime(runtime.now()))
  }
  return {
    async list({ handler, channel, key, code, messageId, state = 'dead', limit = 100, after = 0 } = {}) {
      const filters = [handler, channel, key, code, messageId].map((value) => value && storable(value))
      const values = [state satisfies HeldState, after, ...filters, Math.min(limit, 1_000)]
      return (await reader.all<ListedRow>(LIST, values)).map(letterOf)
    },
    async get(id) {
      const row = await reader.get<ListedRow>(GET, [id])
      return row && letterOf(row)
    },
    retry: (id) =>
      act(id, async (connection, row) => {
        if (row.handler !== null) return again(connection, row)
        await resume(connection, row, bodyOfBytes(row.body))
        await connection.run(REMOVE, [id])
      }),
    edit: (id, body) =>
      act(id, async (connection, row) => {
        if (row.messageId !== null) assertSameMessage(row.messageId, body)
        await connection.run(EDIT, [id, bytesOfBody(body)])
        if (row.handler !== null) return again(connection, row)
        await resume(connection, row, body)
        await connection.run(SKIP, [id, 'edited and sent to its channel again'])
      }),
    skip: (id, note) =>
      act(id, async (connection, { lane, handler, key, messageId, code, reason }) => {
        await connection.run(SKIP, [id, note === undefined ? null : storable(note)])
        if (lane && handler !== null && key !== null) await promote(connection, [{ handler, key }])
        if (handler !== null || !messageId) return
        await statusRefused(connection, messageId, code, reason, isoTime(runtime.now()))
      }),
    reclaim: (knows) =>
      reclaim(environment, knows, (connection, rows) =>
        enqueue(
          connection,
          rows.map(({ channel, messageId, body }) => asItCame(channel, messageId, bodyOfBytes(body))),
          runtime.now(),
        ),
      ),
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
  if (id === undefined || (typeof id === 'string' && storable(id) === messageId)) return
  throw new ObverseError(
    'VALIDATION_FAILED',
    `The edited body has the id ${JSON.stringify(id)}; keep ${messageId}, by which its handlers know the message`,
    { fields: { id: [`must stay ${messageId}`] } },
  )
}

/** To its channel, as it came. */
function asItCame(channel: string, messageId: string | null, body: string): QueueMessage {
  let key: string | null = null
  try {
    key = readEnvelope(body).key
  } catch {
    // still unreadable: it will be refused again, with the same reason
  }
  return { channel, messageId: messageId ?? '', key, body }
}

function letterOf({ body, originalBody, note, ...row }: ListedRow): DeadLetter {
  return {
    ...row,
    body: bodyOfBytes(body),
    ...(originalBody !== null && { originalBody: bodyOfBytes(originalBody) }),
    ...(note !== null && { note }),
  }
}
