import {
  type Delivery,
  type Envelope,
  type Failure,
  type HeldCount,
  type HeldRow,
  type HeldRows,
  type HeldState,
  isoTime,
  readEnvelope,
} from 'obverse'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import type { HeldClaims } from './held-claims.ts'
import { addHeld, forgetAttempts, hasLane, mayBlock, promote, rowState, takeAway } from './lane.ts'
import type { Owners } from './owners.ts'
import { settle } from './queue.ts'
import { statusFailed, statusRefused } from './status.ts'

const IS_MARKED = 'SELECT 1 FROM obverse_inbox WHERE message_id = ? AND handler = ?'
const HOLD_AGAIN = `UPDATE obverse_held SET state = ?, due = ?, attempts = ?, code = ?, reason = ?, detail = ?,
  tracked = ?, at = ?, ordered = ?, lane = key IS NOT NULL AND ?, head = CASE WHEN key IS NOT NULL AND ? THEN head ELSE 1 END,
  owner = NULL, lost = 0 WHERE id = ? AND owner = ? RETURNING key`
const CLAIM = `UPDATE obverse_held SET owner = ? WHERE id IN (
    SELECT id FROM obverse_held WHERE head = 1 AND owner IS NULL AND state IN ('retry', 'waiting')
      AND handler IN (SELECT value FROM json_each(?)) AND due <= ? ORDER BY due, id LIMIT ?)
  RETURNING id, handler, ordered, message_id, channel, attempts, due, lost, body`
const NEXT_DUE = `SELECT min(due) AS due FROM obverse_held WHERE head = 1 AND owner IS NULL
  AND state IN ('retry', 'waiting') AND handler IN (SELECT value FROM json_each(?))`
const RELEASE = 'UPDATE obverse_held SET owner = NULL WHERE id = ? AND owner = ?'
const REFUSED_BEFORE = `SELECT 1 FROM obverse_held WHERE message_id = ? AND handler IS NULL AND channel = ?
  AND state = 'dead' AND body = ?`
const REFUSE = `INSERT INTO obverse_held (lane, head, state, ordered, message_id, type, channel, attempts, due, code,
  reason, at, version, body) VALUES (0, 1, 'dead', 0, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?)`
const COUNTS = `SELECT handler, channel, state, count(*) AS count FROM obverse_held
  GROUP BY handler, channel, state ORDER BY handler, channel, state`

/** Codes of refusals that end when a newer version runs. */
const RECLAIMABLE: readonly string[] = ['MESSAGE_TYPE_UNKNOWN', 'MESSAGE_VERSION_UNKNOWN']

export function heldRows(
  environment: Environment,
  claims: HeldClaims,
  owners: Owners,
  settled: (delivery: Pick<Delivery, 'settlement' | 'heldId'>) => void,
): HeldRows {
  const { reader, writer, runtime } = environment
  const { connection: c } = writer
  const fenced = guards(environment, 'settlement-fence')
  const lanes = guards(environment, 'held-lane')
  return {
    hold: (delivery, failure) =>
      writer.submit(() => hold(c, environment, claims, delivery, failure), { committed: () => settled(delivery) }),
    join: (deliveries) =>
      writer.submit(
        () => {
          for (const delivery of deliveries) {
            if (delivery.settlement && !settle(c, delivery.settlement.queueId, delivery.settlement.owner, fenced))
              continue
            const { heldId, envelope, handler } = delivery
            forgetAttempts(c, envelope.id, handler)
            if (heldId !== undefined) c.run(RELEASE, heldId, claims.owner(heldId))
            else if (rowState(c, envelope.id, handler) === undefined) addHeld(c, environment, delivery)
          }
        },
        { committed: () => deliveries.forEach(settled) },
      ),
    blocked: (asked) => reader.read((r) => (lanes ? asked.filter(({ handler, key }) => hasLane(r, handler, key)) : [])),
    claim: (owner, handlers, limit) =>
      writer.submit(
        () => {
          owners.ensure(c, owner)
          const rows = c.all<ClaimedRow>(CLAIM, owner, JSON.stringify(handlers), runtime.now(), limit)
          return rows.sort((a, b) => a.due - b.due || a.id - b.id).map(heldRowOf)
        },
        {
          news: false,
          committed: (rows) => {
            owners.ensured(owner)
            for (const row of rows) claims.add(row.heldId, owner)
          },
        },
      ),
    nextDue: (handlers) =>
      reader.read((r) => r.get<{ due: number | null }>(NEXT_DUE, JSON.stringify(handlers))?.due ?? undefined),
    refuse: ({ channel, body, code, reason, settlement, messageId = null, type: given = null }) =>
      writer.submit(
        () => {
          if (settlement && !settle(c, settlement.queueId, settlement.owner, fenced)) return
          if (messageId !== null && c.get(REFUSED_BEFORE, messageId, channel, body)) return
          const unknown = RECLAIMABLE.includes(code) ? unknownOf(body) : undefined
          const type = given ?? unknown?.type ?? null
          const at = isoTime(runtime.now())
          c.run(REFUSE, messageId, type, channel, code, reason, at, unknown?.schemaVersion ?? null, body)
          if (messageId !== null && !RECLAIMABLE.includes(code)) statusRefused(c, messageId, code, reason, at)
        },
        { committed: () => settlement && settled({ settlement }) },
      ),
    done: (owner, ids) =>
      writer.submit(
        () => {
          for (const id of ids) takeAway(c, environment, id, owner)
        },
        { committed: () => claims.remove(...ids) },
      ),
    release: (owner, ids) =>
      writer.submit(
        () => {
          for (const id of ids) c.run(RELEASE, id, owner)
        },
        { committed: () => claims.remove(...ids) },
      ),
    counts: () => reader.read((r) => r.all<HeldCount>(COUNTS).map((row) => ({ ...row }))),
  }
}

function hold(c: Connection, environment: Environment, claims: HeldClaims, delivery: Delivery, failure: Failure): void {
  const { envelope, handler, heldId, settlement } = delivery
  if (settlement && !settle(c, settlement.queueId, settlement.owner, guards(environment, 'settlement-fence'))) return
  let held = false
  if (heldId !== undefined) {
    held = holdAgain(c, environment, heldId, claims.owner(heldId), delivery, failure)
    if (!held) return
  } else if (!c.get(IS_MARKED, envelope.id, handler) && rowState(c, envelope.id, handler) === undefined) {
    addHeld(c, environment, delivery, failure)
    held = true
  }
  forgetAttempts(c, envelope.id, handler)
  if (held && failure.retryAt === undefined && failure.tracked) {
    statusFailed(c, envelope.id, failure.code, failure.reason, isoTime(environment.runtime.now()))
  }
}

/**
 * The row keeps its place in its lane, unless it is to hold up nobody any more. Its lane is that of the message that
 * came: an edited body may have another key, or none that can be read.
 */
function holdAgain(
  c: Connection,
  environment: Environment,
  id: number,
  owner: string,
  delivery: Delivery,
  failure: Failure,
): boolean {
  const { code, reason, detail, attempts, retryAt, tracked } = failure
  const state: HeldState = retryAt === undefined ? 'dead' : 'retry'
  const lane = delivery.ordered && mayBlock(environment, state) ? 1 : 0
  const now = isoTime(environment.runtime.now())
  const row = c.get<{ key: string | null }>(
    HOLD_AGAIN,
    state,
    retryAt ?? 0,
    attempts,
    code,
    reason,
    detail,
    tracked ? 1 : 0,
    now,
    delivery.ordered ? 1 : 0,
    lane,
    lane,
    id,
    owner,
  )
  if (row && !lane && row.key !== null) promote(c, delivery.handler, row.key)
  return row !== undefined
}

/** What a process must know to take the message back. */
function unknownOf(body: string): Envelope | undefined {
  try {
    return readEnvelope(body)
  } catch {
    return undefined
  }
}

interface ClaimedRow {
  readonly id: number
  readonly handler: string
  readonly ordered: number
  readonly message_id: string
  readonly channel: string
  readonly attempts: number
  readonly due: number
  readonly lost: number
  readonly body: string
}

function heldRowOf(row: ClaimedRow): HeldRow {
  return {
    heldId: row.id,
    messageId: row.message_id,
    body: row.body,
    channel: row.channel,
    handler: row.handler,
    ordered: row.ordered === 1,
    attempts: row.attempts,
    redelivered: row.lost === 1,
  }
}
