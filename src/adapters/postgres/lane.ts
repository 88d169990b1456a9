import { bytesOfBody, type Delivery, type Failure, type HeldState, isoTime, type Lane } from 'obverse'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import { statement } from './statement.ts'
import { storable } from './text.ts'

const HAS_LANE = statement(
  'lane-has',
  `SELECT asked.ord FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked(handler, key, ord)
   WHERE (SELECT true FROM obverse_held h WHERE h.lane AND h.handler = asked.handler AND h.key = asked.key LIMIT 1)
   ORDER BY asked.ord`,
)
/** A message has at most one row for a handler: a second copy of it changes nothing. */
const INSERT = statement(
  'lane-add',
  `INSERT INTO obverse_held (handler, key, lane, head, state, ordered, message_id, type, channel, attempts, due, tracked,
     code, reason, detail, at, body)
   SELECT new.handler, new.key, new.lane, NOT new.lane OR (new.place = 1 AND
       (SELECT true FROM obverse_held h WHERE h.lane AND h.handler = new.handler AND h.key = new.key LIMIT 1) IS NULL),
     $9, new.ordered, new.message_id, new.type, new.channel, new.attempts, $10, $11, $12, $13, $14, $15, new.body
   FROM (SELECT *, row_number() OVER (PARTITION BY handler, key, lane ORDER BY ord) AS place
     FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::int[],
       $16::bytea[]) WITH ORDINALITY AS one(handler, key, lane, ordered, message_id, type, channel, attempts, body, ord)
     WHERE (SELECT true FROM obverse_held h WHERE h.message_id = one.message_id AND h.handler = one.handler LIMIT 1) IS NULL
   ) AS new
   ORDER BY new.ord`,
)
/** The first row that is left in a lane becomes its head; a waiting one is due at once. */
const PROMOTE = statement(
  'lane-promote',
  `UPDATE obverse_held SET head = true, due = CASE state WHEN 'waiting' THEN 0 ELSE due END
   WHERE NOT head AND id = ANY (ARRAY(SELECT (SELECT n.id FROM obverse_held n
       WHERE n.lane AND n.handler = lane.handler AND n.key = lane.key ORDER BY n.handler, n.key, n.id LIMIT 1)
     FROM unnest($1::text[], $2::text[]) AS lane(handler, key)))`,
)
/** One statement sees its own deletions only by what they return. */
const TAKE_AWAY = statement(
  'lane-take-away',
  `WITH gone AS (DELETE FROM obverse_held WHERE id = ANY ($1::bigint[]) RETURNING handler, key, lane, message_id),
   forgotten AS (DELETE FROM obverse_attempt a USING gone WHERE a.message_id = gone.message_id AND a.handler = gone.handler)
   UPDATE obverse_held SET head = true, due = CASE state WHEN 'waiting' THEN 0 ELSE due END
   WHERE NOT head AND id = ANY (ARRAY(SELECT (SELECT n.id FROM obverse_held n
       WHERE n.lane AND n.handler = gone.handler AND n.key = gone.key AND n.id <> ALL ($1::bigint[])
       ORDER BY n.handler, n.key, n.id LIMIT 1)
     FROM gone WHERE gone.lane))`,
)
const FORGET_ATTEMPTS = statement(
  'attempt-forget',
  'DELETE FROM obverse_attempt a USING unnest($1::text[], $2::text[]) AS m(id, handler) WHERE a.message_id = m.id AND a.handler = m.handler',
)

/*
 * A look at lanes without their lock is a hint; whatever changes a lane has locked it in an earlier statement of the same
 * READ COMMITTED transaction (lane-lock.ts). Each of these functions starts all its statements before it returns.
 */

/** Which of the lanes hold rows that later messages must wait behind. */
export async function withRows(connection: Connection, lanes: readonly Lane[]): Promise<Lane[]> {
  if (lanes.length === 0) return []
  const rows = await connection.all<{ ord: number }>(HAS_LANE, columnsOf(lanes))
  return rows.map(({ ord }) => lanes[ord - 1] as Lane)
}

/** The rows that are left in these lanes are in order again: the first is the head. */
export async function promote(connection: Connection, lanes: readonly Lane[]): Promise<void> {
  if (lanes.length > 0) await connection.run(PROMOTE, columnsOf(lanes))
}

/** Handled, held or given up: what ended their process before is not counted any more. */
export async function forgetAttempts(
  connection: Connection,
  messages: readonly { readonly messageId: string; readonly handler: string }[],
): Promise<void> {
  if (messages.length === 0) return
  const ids = messages.map(({ messageId }) => storable(messageId))
  await connection.run(FORGET_ATTEMPTS, [ids, messages.map(({ handler }) => handler)])
}

/**
 * Takes heads away, with the attempts of their messages, and lets the next of their lanes go on. Whether they are still
 * their owner's has been asked before, under a lock of the rows.
 */
export async function takeAway(connection: Connection, _: Environment, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await connection.run(TAKE_AWAY, [ids])
}

/**
 * Adds rows at the ends of their lanes, in the order given: behind others (`failure` absent), as a retry, or as a dead
 * letter. One that is there for its handler already is left as it is. Returns how many were added.
 */
export async function addHeld(
  connection: Connection,
  environment: Environment,
  deliveries: readonly Delivery[],
  failure?: Failure,
): Promise<number> {
  const state = failure === undefined ? 'waiting' : failure.retryAt === undefined ? 'dead' : 'retry'
  const blocks = mayBlock(environment, state)
  const rows = once(deliveries)
  if (rows.length === 0) return 0
  return await connection.run(INSERT, [
    rows.map(({ handler }) => handler),
    rows.map(({ envelope: { key } }) => (key === null ? null : storable(key))),
    rows.map(({ ordered, envelope }) => ordered && envelope.key !== null && blocks),
    rows.map(({ ordered }) => ordered),
    rows.map(({ envelope }) => storable(envelope.id)),
    rows.map(({ envelope }) => storable(envelope.type)),
    rows.map(({ channel }) => channel),
    rows.map(({ attempts }) => failure?.attempts ?? attempts),
    state,
    Math.ceil(failure?.retryAt ?? 0),
    failure?.tracked ?? false,
    storable(failure?.code ?? ''),
    storable(failure?.reason ?? ''),
    storable(failure?.detail ?? ''),
    isoTime(environment.runtime.now()),
    rows.map(({ body }) => bytesOfBody(body)),
  ])
}

/** Whether a row in `state` can hold up its lane. */
export function mayBlock(environment: Environment, state: HeldState): boolean {
  return state !== 'dead' || guards(environment, 'parking')
}

/** One statement would not see the first of two copies. */
function once(deliveries: readonly Delivery[]): Delivery[] {
  const seen = new Set<string>()
  return deliveries.filter(({ handler, envelope }) => {
    const name = `${handler}\n${envelope.id}`
    return !seen.has(name) && seen.add(name)
  })
}

function columnsOf(lanes: readonly Lane[]): [string[], string[]] {
  return [lanes.map(({ handler }) => handler), lanes.map(({ key }) => storable(key))]
}
