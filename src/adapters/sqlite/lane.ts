import { type Delivery, type Failure, type HeldState, isoTime } from 'obverse'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'

const HAS_LANE = 'SELECT 1 FROM obverse_held WHERE lane = 1 AND handler = ? AND key = ? LIMIT 1'
const ROW_STATE = 'SELECT state FROM obverse_held WHERE message_id = ? AND handler = ? LIMIT 1'
const PROMOTE = `UPDATE obverse_held SET head = 1, due = CASE state WHEN 'waiting' THEN 0 ELSE due END
  WHERE head = 0 AND id = (SELECT min(id) FROM obverse_held WHERE lane = 1 AND handler = ? AND key = ?)`
const INSERT = `INSERT INTO obverse_held (handler, key, lane, head, state, ordered, message_id, type, channel, attempts,
  due, tracked, code, reason, detail, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const FORGET_ATTEMPTS = 'DELETE FROM obverse_attempt WHERE message_id = ? AND handler = ?'
const TAKE_AWAY = 'DELETE FROM obverse_held WHERE id = ? AND owner = ? RETURNING message_id, handler, key, lane'
const TAKE_AWAY_UNFENCED = 'DELETE FROM obverse_held WHERE id = ? RETURNING message_id, handler, key, lane'

/** Does (handler, key) hold rows that later messages must wait behind? */
export function hasLane(c: Connection, handler: string, key: string): boolean {
  return c.get(HAS_LANE, handler, key) !== undefined
}

/** A message has at most one row for a handler: a second copy of it changes nothing. */
export function rowState(c: Connection, messageId: string, handler: string): HeldState | undefined {
  return c.get<{ state: HeldState }>(ROW_STATE, messageId, handler)?.state
}

/** The first row that is left in a lane becomes its head; a waiting one is due at once. */
export function promote(c: Connection, handler: string, key: string): void {
  c.run(PROMOTE, handler, key)
}

/** Handled, held or given up: what ended its process before is not counted any more. */
export function forgetAttempts(c: Connection, messageId: string, handler: string): void {
  c.run(FORGET_ATTEMPTS, messageId, handler)
}

/** Takes a claimed row away and lets the next of its lane go on. False: the claim is not `owner`'s any more. */
export function takeAway(c: Connection, environment: Environment, id: number, owner: string): boolean {
  const fenced = guards(environment, 'settlement-fence')
  type Row = { message_id: string; handler: string; key: string; lane: number }
  const row = fenced ? c.get<Row>(TAKE_AWAY, id, owner) : c.get<Row>(TAKE_AWAY_UNFENCED, id)
  if (row) forgetAttempts(c, row.message_id, row.handler)
  if (row?.lane) promote(c, row.handler, row.key)
  return row !== undefined || !fenced
}

/** Adds a row at the end of its lane: behind others (`failure` absent), as a retry, or as a dead letter. */
export function addHeld(c: Connection, environment: Environment, delivery: Delivery, failure?: Failure): void {
  const { envelope, handler, channel, body } = delivery
  const state = failure === undefined ? 'waiting' : failure.retryAt === undefined ? 'dead' : 'retry'
  const lane = delivery.ordered && envelope.key !== null && mayBlock(environment, state)
  const head = !(lane && hasLane(c, handler, envelope.key as string))
  c.run(
    INSERT,
    handler,
    envelope.key,
    lane ? 1 : 0,
    head ? 1 : 0,
    state,
    delivery.ordered ? 1 : 0,
    envelope.id,
    envelope.type,
    channel,
    failure?.attempts ?? delivery.attempts,
    failure?.retryAt ?? 0,
    failure?.tracked ? 1 : 0,
    failure?.code ?? '',
    failure?.reason ?? '',
    failure?.detail ?? '',
    isoTime(environment.runtime.now()),
    body,
  )
}

/** Whether a row in `state` can hold up its lane. */
export function mayBlock(environment: Environment, state: HeldState): boolean {
  return state !== 'dead' || guards(environment, 'parking')
}
