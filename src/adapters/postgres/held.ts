import {
  bodyOfBytes,
  bytesOfBody,
  type Delivery,
  type Envelope,
  type Failure,
  type HeldCount,
  type HeldRow,
  type HeldRows,
  type HeldState,
  isoTime,
  type Lane,
  type RefusedMessage,
  readEnvelope,
  type Settlement,
} from 'obverse'
import type { Connection } from './connection.ts'
import { Doubt } from './doubt.ts'
import { type Environment, guards } from './environment.ts'
import type { HeldClaim, HeldClaims } from './held-claims.ts'
import { addHeld, forgetAttempts, mayBlock, promote, takeAway, withRows } from './lane.ts'
import { lockLanes } from './lane-lock.ts'
import type { Owners } from './owners.ts'
import { settle } from './queue.ts'
import { statement } from './statement.ts'
import { statusFailed, statusRefused } from './status.ts'
import { storable } from './text.ts'
import { inTransaction } from './transaction.ts'

const IS_MARKED = statement('held-marked', 'SELECT FROM obverse_inbox WHERE message_id = $1 AND handler = $2')
/** The row keeps its place in its lane, unless it is to hold up nobody any more. */
const HOLD_AGAIN = statement(
  'held-again',
  `UPDATE obverse_held SET state = $3, due = $4, attempts = $5, code = $6, reason = $7, detail = $8, tracked = $9, at = $10,
     ordered = $11, lane = key IS NOT NULL AND $12, head = CASE WHEN key IS NOT NULL AND $12 THEN head ELSE true END,
     owner = NULL, lost = false
   WHERE id = $1 AND owner = $2 RETURNING key`,
)
const CLAIM = statement(
  'held-claim',
  `UPDATE obverse_held SET owner = $1
   WHERE EXISTS (SELECT FROM obverse_owner WHERE id = $1) AND id IN (
     SELECT id FROM obverse_held WHERE head AND owner IS NULL AND state IN ('retry', 'waiting')
       AND handler = ANY ($2::text[]) AND due <= $3 ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED)
   RETURNING id, handler, key, lane, ordered, message_id AS "messageId", channel, attempts, due, lost, body`,
)
/** What an owner has by a claim whose answer was lost: nothing of it has begun. */
const GIVE_UP = statement(
  'held-give-up',
  'UPDATE obverse_held SET owner = NULL WHERE owner = $1 AND handler = ANY ($2::text[]) AND id <> ALL ($3::bigint[])',
)
const NEXT_DUE = statement(
  'held-next-due',
  `SELECT min(due) AS due FROM obverse_held WHERE head AND owner IS NULL AND state IN ('retry', 'waiting')
     AND handler = ANY ($1::text[])`,
)
const OURS = statement(
  'held-ours',
  'SELECT id FROM obverse_held WHERE id = ANY ($1::bigint[]) AND owner = $2 FOR UPDATE',
)
const RELEASE = statement(
  'held-release',
  'UPDATE obverse_held SET owner = NULL WHERE id = ANY ($1::bigint[]) AND owner = $2',
)
const REFUSE = statement(
  'held-refuse',
  `INSERT INTO obverse_held (lane, head, state, ordered, message_id, type, channel, attempts, due, code, reason, at, version, body)
   SELECT false, true, 'dead', false, $1, $2, $3, 0, 0, $4, $5, $6, $7, $8::bytea
   WHERE NOT EXISTS (SELECT FROM obverse_held
     WHERE message_id = $1 AND handler IS NULL AND channel = $3 AND state = 'dead' AND body = $8::bytea)`,
)
const COUNTS = statement(
  'held-counts',
  `SELECT handler, channel, state, count(*) AS count FROM obverse_held
   GROUP BY handler, channel, state ORDER BY handler NULLS FIRST, channel, state`,
)

/** Codes of refusals that end when a newer version runs. */
const RECLAIMABLE: readonly string[] = ['MESSAGE_TYPE_UNKNOWN', 'MESSAGE_VERSION_UNKNOWN']

export function heldRows(
  environment: Environment,
  claims: HeldClaims,
  owners: Owners,
  settled: (settlement: Settlement) => void,
): HeldRows {
  const { reader, writer, runtime, news } = environment
  const lanes = guards(environment, 'held-lane')
  const doubt = new Doubt(environment)
  const ended = ({ settlement, heldId }: Delivery, claim: HeldClaim | undefined) => {
    if (settlement) settled(settlement)
    claims.end(heldId, claim)
  }
  return {
    async hold(delivery, failure) {
      const claim = claims.now(delivery.heldId)
      await inTransaction(environment, (connection) => hold(connection, environment, claims, delivery, failure))
      ended(delivery, claim)
    },
    async join(deliveries) {
      if (deliveries.length === 0) return
      const taken = deliveries.map(({ heldId }) => claims.now(heldId))
      await inTransaction(environment, (connection) => join(connection, environment, claims, deliveries))
      for (const [at, delivery] of deliveries.entries()) ended(delivery, taken[at])
    },
    async blocked(asked) {
      return lanes ? withRows(await reader.connection(), asked) : []
    },
    async claim(owner, handlers, limit) {
      if (handlers.length === 0 || limit < 1) return []
      await owners.ensure(owner)
      const rows = await doubt.around(
        () => writer.run(GIVE_UP, [owner, handlers, claims.of(owner)]),
        () => writer.all<ClaimedRow>(CLAIM, [owner, handlers, runtime.now(), limit]),
      )
      for (const { id, handler, key, lane } of rows) {
        claims.add(id, owner, lane && key !== null ? { handler, key } : undefined)
      }
      return rows.sort((a, b) => a.due - b.due || a.id - b.id).map(heldRowOf)
    },
    async nextDue(handlers) {
      return (await reader.get<{ due: number | null }>(NEXT_DUE, [handlers]))?.due ?? undefined
    },
    async refuse(refused) {
      await inTransaction(environment, (connection) => refuse(connection, environment, refused))
      if (refused.settlement) settled(refused.settlement)
    },
    async done(owner, ids) {
      const mine = ids.filter((id) => claims.owner(id) === owner)
      if (mine.length === 0) return
      const taken = mine.map((id) => claims.now(id))
      await inTransaction(environment, (connection) => done(connection, environment, claims, owner, mine))
      for (const [at, id] of mine.entries()) claims.end(id, taken[at])
    },
    async release(owner, ids) {
      const mine = ids.filter((id) => claims.owner(id) === owner)
      const taken = mine.map((id) => claims.now(id))
      await writer.run(RELEASE, [ids, owner])
      for (const [at, id] of mine.entries()) claims.end(id, taken[at])
      news()
    },
    counts: () => reader.all<HeldCount>(COUNTS),
  }
}

async function hold(
  connection: Connection,
  environment: Environment,
  claims: HeldClaims,
  delivery: Delivery,
  failure: Failure,
): Promise<void> {
  const { envelope, handler, heldId, settlement } = delivery
  const fenced = guards(environment, 'settlement-fence')
  const [, gone, marked] = await Promise.all([
    lockLanes(connection, locksOf(claims, [delivery])),
    settlement && settle(connection, [settlement], fenced),
    connection.all(IS_MARKED, [storable(envelope.id), handler]),
  ])
  if (settlement && !gone?.has(settlement.queueId)) return
  let held = false
  if (heldId !== undefined) {
    held = await holdAgain(connection, environment, heldId, claims.owner(heldId), delivery, failure)
    if (!held) return
  } else if (marked.length === 0) held = (await addHeld(connection, environment, [delivery], failure)) > 0
  const given = held && failure.retryAt === undefined && failure.tracked
  await Promise.all([
    forgetAttempts(connection, [{ messageId: envelope.id, handler }]),
    given && statusFailed(connection, envelope.id, failure.code, failure.reason, isoTime(environment.runtime.now())),
  ])
}

/** Its lane is that of the message that came: an edited body may have another key, or none that can be read. */
async function holdAgain(
  connection: Connection,
  environment: Environment,
  id: number,
  owner: string,
  { ordered, handler }: Delivery,
  { code, reason, detail, attempts, retryAt, tracked = false }: Failure,
): Promise<boolean> {
  const state: HeldState = retryAt === undefined ? 'dead' : 'retry'
  const lane = ordered && mayBlock(environment, state)
  const row = await connection.get<{ key: string | null }>(HOLD_AGAIN, [
    id,
    owner,
    state,
    Math.ceil(retryAt ?? 0),
    attempts,
    storable(code),
    storable(reason),
    storable(detail),
    tracked,
    isoTime(environment.runtime.now()),
    ordered,
    lane,
  ])
  if (row && !lane && row.key !== null) await promote(connection, [{ handler, key: row.key }])
  return row !== undefined
}

async function join(
  connection: Connection,
  environment: Environment,
  claims: HeldClaims,
  deliveries: readonly Delivery[],
): Promise<void> {
  const settlements = deliveries.flatMap(({ settlement }) => settlement ?? [])
  const [, gone] = await Promise.all([
    lockLanes(connection, locksOf(claims, deliveries)),
    settle(connection, settlements, guards(environment, 'settlement-fence')),
  ])
  const ours = deliveries.filter(({ settlement }) => !settlement || gone.has(settlement.queueId))
  const back = ours.flatMap(({ heldId }) => heldId ?? [])
  const owners = new Set(back.map((id) => claims.owner(id)))
  await Promise.all([
    ...Array.from(owners, (owner) => connection.run(RELEASE, [back, owner])),
    forgetAttempts(
      connection,
      ours.map(({ envelope, handler }) => ({ messageId: envelope.id, handler })),
    ),
    addHeld(
      connection,
      environment,
      ours.filter(({ heldId }) => heldId === undefined),
    ),
  ])
}

async function refuse(connection: Connection, environment: Environment, refused: RefusedMessage): Promise<void> {
  const { channel, body, code, reason, settlement, messageId, type } = refused
  const fenced = guards(environment, 'settlement-fence')
  const [gone] = await Promise.all([
    settlement && settle(connection, [settlement], fenced),
    messageId !== undefined && lockLanes(connection, [{ handler: `refused ${channel}`, key: messageId }]),
  ])
  if (settlement && !gone?.has(settlement.queueId)) return
  const mayReturn = RECLAIMABLE.includes(code)
  const unknown = mayReturn ? unknownOf(body) : undefined
  const name = type ?? unknown?.type
  const at = isoTime(environment.runtime.now())
  const added = await connection.run(REFUSE, [
    messageId === undefined ? null : storable(messageId),
    name === undefined ? null : storable(name),
    channel,
    storable(code),
    storable(reason),
    at,
    unknown?.schemaVersion ?? null,
    bytesOfBody(body),
  ])
  if (added > 0 && messageId !== undefined && !mayReturn) await statusRefused(connection, messageId, code, reason, at)
}

async function done(
  connection: Connection,
  environment: Environment,
  claims: HeldClaims,
  owner: string,
  ids: readonly number[],
): Promise<void> {
  const [, ours] = await Promise.all([
    lockLanes(
      connection,
      ids.flatMap((id) => claims.lane(id) ?? []),
    ),
    connection.all<{ id: number }>(OURS, [ids, owner]),
  ])
  await takeAway(
    connection,
    environment,
    ours.map(({ id }) => id),
  )
}

/** Lanes, and for messages without one a lock of their own: two copies of one message make one row. */
function locksOf(claims: HeldClaims, deliveries: readonly Delivery[]): Lane[] {
  return deliveries.flatMap((delivery) => {
    const lanes = claims.lanes(delivery)
    return lanes.length > 0 ? lanes : [{ handler: `alone ${delivery.handler}`, key: delivery.envelope.id }]
  })
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
  readonly key: string | null
  readonly lane: boolean
  readonly ordered: boolean
  readonly messageId: string
  readonly channel: string
  readonly attempts: number
  readonly due: number
  readonly lost: boolean
  readonly body: Buffer
}

function heldRowOf({ id, messageId, channel, handler, ordered, attempts, lost, body }: ClaimedRow): HeldRow {
  return { heldId: id, messageId, body: bodyOfBytes(body), channel, handler, ordered, attempts, redelivered: lost }
}
