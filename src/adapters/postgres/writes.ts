import {
  type Answer,
  bodyOf,
  type Claim,
  type Delivery,
  isoTime,
  type NewEvent,
  type NewMessage,
  type NewSnapshot,
  type Outgoing,
} from 'obverse'
import { bigints, texts } from './array.ts'
import type { Connection } from './connection.ts'
import type { Passage } from './entry.ts'
import { type Environment, guards } from './environment.ts'
import { EVENT_NAMES, EventColumns, insertEvents, unnestEvents } from './event-columns.ts'
import { addHeld, takeAway } from './lane.ts'
import { SETTLE } from './queue.ts'
import { statement } from './statement.ts'
import { cancelMessages, statusesDone, trackMessages } from './status.ts'
import { storable } from './text.ts'

const SET_SEQS = statement(
  'set-seqs',
  `UPDATE obverse_key AS k SET seq = u.seq FROM unnest($1::text[], $2::bigint[]) AS u(key, seq) WHERE k.key = u.key`,
)
const EVENTS = statement(
  'events',
  `WITH numbered AS MATERIALIZED (
    SELECT nextval('obverse_event_number') AS number, rows.*
    FROM (SELECT * FROM ${unnestEvents(3, ['$1::text[]', '$2::bigint[]'])} AS e(key, seq, ${EVENT_NAMES}, ord)
      ORDER BY ord) AS rows),
  ${insertEvents(3)}
  SELECT count(*) FROM numbered`,
)
/** Canary: what should have been part of the commit before. */
const QUEUE_LATER = statement(
  'queue-later',
  `INSERT INTO obverse_queue (channel, message_id, key, event, at)
   SELECT q.channel, e.id, e.key, e.number, $3 FROM unnest($1::text[], $2::text[]) AS q(id, channel)
   JOIN obverse_event e USING (id)`,
)
const MESSAGES = statement(
  'messages',
  `INSERT INTO obverse_queue (channel, message_id, key, body, command, at, due)
   SELECT channel, id, key, body, true, $6::bigint, due
   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS m(channel, id, key, body, due)`,
)
/** Attempts are recorded of few messages: where there are none, nothing is looked up. */
const FORGETTING = `DELETE FROM obverse_attempt WHERE EXISTS (SELECT FROM obverse_attempt)
  AND (message_id, handler) IN (SELECT * FROM unnest($1::text[], $2::text[]))`
const FORGET = statement('entry-forget', FORGETTING)
const MARKING = `INSERT INTO obverse_inbox (message_id, handler, at)
  SELECT id, handler, $3 FROM unnest($1::text[], $2::text[]) AS m(id, handler)`
const MARK = statement('entry-mark', MARKING)
const MARK_AND_FORGET = statement('entry-mark-forget', `WITH forgotten AS (${FORGETTING}) ${MARKING}`)
const ANSWERS = statement(
  'answers',
  `INSERT INTO obverse_answer (principal, command, key, fingerprint, outcome, body, token, at)
   SELECT a.*, $8 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS a`,
)
const SNAPSHOTS = statement(
  'snapshots',
  `INSERT INTO obverse_snapshot AS s (name, key, version, seq, state)
   SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[])
   ON CONFLICT (name, key) DO UPDATE SET version = excluded.version, seq = excluded.seq, state = excluded.state`,
)

/** What a transaction is going to write, gathered: one statement of each kind, however many units share the commit. */
export class Writes {
  readonly #environment: Environment
  readonly #oneCommit: boolean
  readonly #seqs = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #eventSeqs: number[] = []
  readonly #events = new EventColumns()
  readonly #messages: Outgoing[] = []
  readonly #tracked: Outgoing[] = []
  readonly #settle: number[] = []
  readonly #heads: number[] = []
  readonly #marks: Delivery[] = []
  readonly #forget: Delivery[] = []
  readonly #joins: Delivery[] = []
  readonly #answers: (readonly [Claim, Answer])[] = []
  readonly #snapshots = new Map<string, NewSnapshot>()
  readonly #cancel: string[] = []
  readonly #done: { readonly messageId: string; readonly result?: string }[] = []

  constructor(environment: Environment) {
    this.#environment = environment
    this.#oneCommit = guards(environment, 'one-commit')
  }

  passage({ delivery, queueId, heldId, mark, join }: Passage): void {
    if (queueId !== undefined) this.#settle.push(queueId)
    if (heldId !== undefined) this.#heads.push(heldId)
    if (!delivery) return
    this.#forget.push(delivery)
    if (mark) this.#marks.push(delivery)
    if (join) this.#joins.push(delivery)
  }

  event(event: NewEvent, seq: number): void {
    this.#keys.push(event.key)
    this.#eventSeqs.push(seq)
    this.#events.add(event)
    this.#seqs.set(event.key, seq)
  }

  message({ message, tracked }: NewMessage): void {
    this.#messages.push(message)
    if (tracked) this.#tracked.push(message)
  }

  answer(claim: Claim, answer: Answer): void {
    this.#answers.push([claim, answer])
  }

  snapshot(snapshot: NewSnapshot): void {
    this.#snapshots.set(`${snapshot.name}\n${snapshot.key}`, snapshot)
  }

  cancel(ids: readonly string[]): void {
    this.#cancel.push(...ids)
  }

  done(messageId: string, result: string | undefined): void {
    this.#done.push({ messageId, ...(result !== undefined && { result }) })
  }

  /** Starts every statement that is needed, one behind the other. */
  send(connection: Connection): Promise<unknown>[] {
    const now = this.#environment.runtime.now()
    const at = isoTime(now)
    const sent: Promise<unknown>[] = []
    if (this.#settle.length > 0) sent.push(connection.run(SETTLE, [bigints(this.#settle)]))
    if (this.#heads.length > 0) sent.push(takeAway(connection, this.#environment, this.#heads))
    sent.push(...this.#sendMarks(connection, now))
    if (this.#joins.length > 0) sent.push(addHeld(connection, this.#environment, this.#joins))
    if (this.#seqs.size > 0) {
      sent.push(connection.run(SET_SEQS, [texts([...this.#seqs.keys()]), bigints([...this.#seqs.values()])]))
      sent.push(
        connection.run(EVENTS, [
          texts(this.#keys),
          bigints(this.#eventSeqs),
          ...this.#events.values(now, this.#oneCommit),
        ]),
      )
    }
    if (this.#messages.length > 0) sent.push(this.#sendMessages(connection, now))
    if (this.#tracked.length > 0) sent.push(trackMessages(connection, this.#tracked, at))
    if (this.#cancel.length > 0) sent.push(cancelMessages(connection, this.#cancel, at))
    if (this.#snapshots.size > 0) sent.push(this.#sendSnapshots(connection))
    if (this.#answers.length > 0) sent.push(this.#sendAnswers(connection, now))
    if (this.#done.length > 0) sent.push(statusesDone(connection, this.#done, at))
    return sent
  }

  /** Canary `one-commit`: after the commit, as a relay without an outbox would. */
  async later(connection: Connection): Promise<void> {
    if (this.#oneCommit || this.#keys.length === 0) return
    // here a process may end
    await this.#environment.runtime.reach?.('commit.after')
    const { ids, queueOf, channels } = this.#events
    const messages = queueOf.map((ord) => ids[ord - 1])
    await connection.run(QUEUE_LATER, [messages, channels, this.#environment.runtime.now()])
  }

  /** Of the same messages, as a rule: then both are one statement. */
  #sendMarks(connection: Connection, now: number): Promise<unknown>[] {
    const columns = (deliveries: readonly Delivery[]) => [
      texts(deliveries.map(({ envelope }) => storable(envelope.id))),
      texts(deliveries.map(({ handler }) => handler)),
    ]
    const [marks, forget] = [this.#marks, this.#forget]
    if (marks.length > 0 && marks.length === forget.length)
      return [connection.run(MARK_AND_FORGET, [...columns(marks), now])]
    return [
      ...(marks.length > 0 ? [connection.run(MARK, [...columns(marks), now])] : []),
      ...(forget.length > 0 ? [connection.run(FORGET, columns(forget))] : []),
    ]
  }

  #sendMessages(connection: Connection, now: number): Promise<unknown> {
    const rows = this.#messages.flatMap((message) => {
      const body = bodyOf(message)
      return message.channels.map((channel) => [channel, message.id, message.key, body, message.due ?? null] as const)
    })
    return connection.run(MESSAGES, [...[0, 1, 2, 3, 4].map((at) => rows.map((row) => row[at])), now])
  }

  #sendSnapshots(connection: Connection): Promise<unknown> {
    const all = [...this.#snapshots.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    return connection.run(SNAPSHOTS, [
      all.map(({ name }) => name),
      all.map(({ key }) => key),
      all.map(({ version }) => version),
      all.map(({ seq }) => seq),
      all.map(({ state }) => JSON.stringify(state)),
    ])
  }

  #sendAnswers(connection: Connection, now: number): Promise<unknown> {
    const rows = this.#answers.map(([{ principal, command, key, fingerprint }, { outcome, body, token }]) => [
      storable(principal),
      command,
      storable(key),
      fingerprint,
      outcome,
      body,
      token,
    ])
    return connection.run(ANSWERS, [...[0, 1, 2, 3, 4, 5, 6].map((at) => rows.map((row) => row[at])), now])
  }
}
