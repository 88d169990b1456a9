import type { Answer, Claim, Delivery, Entry, HeldState } from 'obverse'
import { bigints, texts } from './array.ts'
import type { Connection } from './connection.ts'
import { lockLanes } from './lane-lock.ts'
import { OWNED } from './queue.ts'
import { statement } from './statement.ts'
import { storable } from './text.ts'

const HEADS = statement(
  'entry-heads',
  'SELECT id, owner FROM obverse_held WHERE id = ANY ($1::bigint[]) AND owner IS NOT NULL FOR UPDATE',
)
/** Of messages of which something is known: whether they are marked, how they are held, whether rows of their lane are. */
const KNOWN = statement(
  'entry-known',
  `SELECT * FROM (SELECT asked.ord,
     (SELECT true FROM obverse_inbox i WHERE i.message_id = asked.id AND i.handler = asked.handler LIMIT 1) AS marked,
     (SELECT h.state FROM obverse_held h WHERE h.message_id = asked.id AND h.handler = asked.handler LIMIT 1) AS state,
     (SELECT true FROM obverse_held h WHERE h.lane AND h.handler = asked.handler AND h.key = asked.lane LIMIT 1) AS waits
   FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS asked(id, handler, lane, ord) OFFSET 0) AS known
   WHERE marked OR state IS NOT NULL OR waits`,
)
const ANSWERS = statement(
  'entry-answers',
  `SELECT a.principal, a.command, a.key, a.fingerprint, a.outcome, a.body, a.token
   FROM unnest($1::text[], $2::text[], $3::text[]) AS asked(principal, command, key)
   JOIN obverse_answer a USING (principal, command, key)`,
)

export interface KeptAnswer extends Answer {
  readonly fingerprint: string
}

/** What the store knows of deliveries and claims, as of one moment and for the rest of the transaction. */
export class Standing {
  /** Queue rows and held rows, with who has them. */
  readonly queue: Map<number, string> = new Map()
  readonly heads: Map<number, string> = new Map()
  readonly marks: Set<string> = new Set()
  readonly states: Map<string, HeldState> = new Map()
  readonly lanes: Set<string> = new Set()
  readonly answers: Map<string, KeptAnswer> = new Map()
}

/** As stored: what a row says of a message names it as the message itself does. */
export const nameOf = (...parts: readonly string[]): string => storable(parts.join('\n'))
export const claimName = ({ principal, command, key }: Claim): string => nameOf(principal, command, key)

/** Lanes that a delivery may join or leave. */
export function lanesOf(entries: readonly Entry[]): { handler: string; key: string }[] {
  return entries.flatMap(({ delivery }) => {
    const key = delivery?.envelope.key
    return delivery && key !== null && key !== undefined && (delivery.ordered || delivery.heldId !== undefined)
      ? [{ handler: delivery.handler, key }]
      : []
  })
}

/** Asks everything that the entries concern, in one round trip. `lock`: in a transaction that will go on. */
export async function look(connection: Connection, entries: readonly Entry[], lock: boolean): Promise<Standing> {
  const standing = new Standing()
  const deliveries = entries.flatMap(({ delivery }) => (delivery ? [delivery] : []))
  const claims = entries.flatMap(({ claim }) => (claim ? [claim] : []))
  const asked: Promise<unknown>[] = []
  if (lock) asked.push(lockLanes(connection, lanesOf(entries)))
  if (deliveries.length > 0) asked.push(...lookAtDeliveries(connection, deliveries, standing))
  if (claims.length > 0) {
    const columns = (['principal', 'command', 'key'] as const).map((name) => claims.map((c) => storable(c[name])))
    const answers = connection.all<KeptAnswer & Claim>(ANSWERS, columns)
    asked.push(
      answers.then((rows) => {
        for (const row of rows) standing.answers.set(claimName(row), row)
      }),
    )
  }
  await all(asked)
  return standing
}

function lookAtDeliveries(
  connection: Connection,
  deliveries: readonly Delivery[],
  standing: Standing,
): Promise<unknown>[] {
  const asked: Promise<unknown>[] = []
  const queueIds = deliveries.flatMap(({ settlement }) => (settlement ? [settlement.queueId] : []))
  const heldIds = deliveries.flatMap(({ heldId }) => (heldId === undefined ? [] : [heldId]))
  const into = (rows: Map<number, string>) => (found: { id: number; owner: string }[]) => {
    for (const { id, owner } of found) rows.set(id, owner)
  }
  type Owned = { id: number; owner: string }
  if (queueIds.length > 0) asked.push(connection.all<Owned>(OWNED, [bigints(queueIds)]).then(into(standing.queue)))
  if (heldIds.length > 0) asked.push(connection.all<Owned>(HEADS, [bigints(heldIds)]).then(into(standing.heads)))
  type Known = { ord: number; marked: true | null; state: HeldState | null; waits: true | null }
  const columns = [
    texts(deliveries.map(({ envelope }) => storable(envelope.id))),
    texts(deliveries.map(({ handler }) => handler)),
    texts(deliveries.map(({ ordered, envelope: { key } }) => (ordered && key !== null ? storable(key) : null))),
  ]
  asked.push(
    connection.all<Known>(KNOWN, columns).then((rows) => {
      for (const { ord, marked, state, waits } of rows) {
        const { envelope, handler } = deliveries[ord - 1] as Delivery
        const name = nameOf(envelope.id, handler)
        if (marked) standing.marks.add(name)
        if (state) standing.states.set(name, state)
        if (waits) standing.lanes.add(nameOf(handler, envelope.key as string))
      }
    }),
  )
  return asked
}

/** Waits for all, so that none is left running, and throws the first error. */
export async function all(asked: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(asked)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
