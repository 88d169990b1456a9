import type { OutboxRow } from 'obverse'
import { Doubt } from './doubt.ts'
import { type Environment, guards } from './environment.ts'
import { LowWater } from './low-water.ts'
import type { Owners } from './owners.ts'
import { type BodyColumns, bodyOfRow, EVENT_BODY, GIVE_UP, giveBack, inOrder, READY } from './queue.ts'
import { statement } from './statement.ts'

/** Looks among the keys of a channel for one claim, at most, and keys of each. */
const LOOKS = 8
const STEPS = 256
/** Comes after every channel. */
const LAST = '\u{10ffff}'

/** The one who leads has every row: what it has given out is known to it alone, and to nobody else of any use. */
const LED = 'led AS MATERIALIZED (SELECT FROM obverse_owner WHERE id = $1 AND leads)'
const OUT = 'out AS MATERIALIZED (SELECT unnest($3::bigint[]) AS id)'
const FREE = 'id NOT IN (SELECT id FROM out)'
const COLUMNS = 'q.id, q.channel, q.key, q.event'

/**
 * An event is published with its place in the log, or not yet. A command has to be claimed, for it may be called off. What is
 * looked up by a number is so, row by row: no guess of how many there are makes a plan that reads a whole table.
 */
const ROWS = `placed AS (SELECT c.*, (SELECT p.position FROM obverse_position p WHERE p.number = c.event) AS position
    FROM chosen c OFFSET 0),
  rows AS MATERIALIZED (SELECT * FROM placed WHERE (event IS NULL) = (position IS NULL)),
  others AS MATERIALIZED (SELECT q.* FROM rows
    CROSS JOIN LATERAL (SELECT * FROM obverse_queue q WHERE q.id = rows.id LIMIT 1) AS q WHERE rows.event IS NULL),
  claimed AS (INSERT INTO obverse_claim (id, channel, key, owner)
    SELECT id, channel, key, $1 FROM others WHERE command ON CONFLICT DO NOTHING RETURNING id)
  SELECT 'row' AS kind, rows.id, e.id AS "messageId", rows.channel, rows.key, ${EVENT_BODY} AS body, NULL::bytea AS bytes, e.seq,
    rows.position, false AS command
  FROM rows CROSS JOIN LATERAL (SELECT * FROM obverse_event e WHERE e.number = rows.event LIMIT 1) AS e
  WHERE rows.event IS NOT NULL
  UNION ALL SELECT 'row', id, message_id, channel, key, body, bytes, NULL, NULL, command FROM others
  WHERE NOT command OR id IN (SELECT id FROM claimed)`
const NOTE = 'NULL, NULL::bytea, NULL::bigint, NULL::bigint, NULL::boolean'

/**
 * $2 limit, $3 given out, $4 and $5 channels with their low water, $6 rows of each to look at, $7 now, $8 false (a canary):
 * one key is like none, $9 and $10 between which channels there may be others.
 */
const CLAIM = statement(
  'relaying-claim',
  `WITH ${LED}, ${OUT},
  waits AS MATERIALIZED (SELECT FROM obverse_queue WHERE retry_at IS NOT NULL LIMIT 1),
  seen AS MATERIALIZED (
    SELECT one.* FROM unnest($4::text[], $5::bigint[]) AS c(channel, low) CROSS JOIN LATERAL (
      SELECT ${COLUMNS} FROM obverse_queue q WHERE ${inOrder('c')} LIMIT $6) AS one),
  heads AS (SELECT min(id) AS id FROM seen GROUP BY channel, key, CASE WHEN key IS NULL OR NOT $8::boolean THEN id END),
  chosen AS MATERIALIZED (
    (SELECT s.* FROM seen s JOIN heads USING (id)
     WHERE EXISTS (SELECT FROM led) AND s.${FREE}
       AND (s.key IS NULL OR NOT EXISTS (SELECT FROM waits) OR (SELECT true FROM obverse_queue r
       WHERE r.channel = s.channel AND r.key = s.key AND r.retry_at IS NOT NULL LIMIT 1) IS NULL)
     ORDER BY s.id LIMIT $2)
    UNION ALL
    (SELECT ${COLUMNS} FROM obverse_queue q WHERE EXISTS (SELECT FROM led) AND q.retry_at <= $7 AND q.${FREE}
     ORDER BY q.retry_at, q.id LIMIT $2)),
  ${ROWS}
  UNION ALL SELECT 'led', NULL, NULL, NULL, NULL, ${NOTE} FROM led
  UNION ALL SELECT 'more', max(id), NULL, channel, NULL, ${NOTE} FROM seen GROUP BY channel HAVING count(*) = $6
  UNION ALL SELECT 'new', NULL, NULL, (SELECT q.channel FROM obverse_queue q
      WHERE ${READY} AND q.channel > gap.low AND q.channel < gap.high ORDER BY q.channel, q.id LIMIT 1), NULL, ${NOTE}
    FROM unnest($9::text[], $10::text[]) AS gap(low, high)`,
)
/** $4 channel, $5 the key from which on to look, $6 keys to look at, $7 the id after which keyless rows are. */
const BY_KEY = statement(
  'relaying-by-key',
  `WITH RECURSIVE ${LED}, ${OUT},
  walk (key, step) AS (
    SELECT (SELECT q.key FROM obverse_queue q
      WHERE q.channel = $4 AND q.due IS NULL AND q.key >= $5 ORDER BY q.channel, q.key, q.id LIMIT 1), 1
    UNION ALL
    SELECT (SELECT q.key FROM obverse_queue q
      WHERE q.channel = $4 AND q.due IS NULL AND q.key > w.key ORDER BY q.channel, q.key, q.id LIMIT 1), w.step + 1
    FROM walk w WHERE w.key IS NOT NULL AND w.step < $6),
  chosen AS (
    SELECT head.id, $4::text AS channel, w.key, head.event FROM walk w CROSS JOIN LATERAL (SELECT q.id, q.event, q.retry_at FROM obverse_queue q
      WHERE q.channel = $4 AND q.key = w.key AND q.due IS NULL ORDER BY q.channel, q.key, q.id LIMIT 1) AS head
    WHERE EXISTS (SELECT FROM led) AND w.key IS NOT NULL AND head.retry_at IS NULL AND head.${FREE}
    UNION ALL
    (SELECT ${COLUMNS} FROM obverse_queue q WHERE EXISTS (SELECT FROM led) AND q.channel = $4 AND q.key IS NULL AND q.id > $7 AND ${READY} AND q.${FREE} ORDER BY q.id LIMIT $2)),
  ${ROWS}
  UNION ALL SELECT 'last', NULL, NULL, NULL, (SELECT key FROM walk ORDER BY step DESC LIMIT 1), ${NOTE}`,
)
const IF_LED = 'EXISTS (SELECT FROM obverse_owner WHERE id = $1 AND leads)'
const DONE = statement('relaying-done', `DELETE FROM obverse_queue WHERE id = ANY ($2::bigint[]) AND ${IF_LED}`)
const FAILED = statement(
  'relaying-failed',
  `UPDATE obverse_queue SET retry_at = $3 WHERE id = ANY ($2::bigint[]) AND ${IF_LED}`,
)

interface Answer extends BodyColumns {
  readonly kind: 'row' | 'led' | 'more' | 'new' | 'last'
  readonly id: number
  readonly messageId: string
  readonly channel: string | null
  readonly key: string | null
  readonly command: boolean
}

type Row = Answer & { readonly channel: string }

interface Given {
  readonly owner: string
  /** Channel and key, of which nothing else is out. */
  readonly place: string | undefined
  readonly command: boolean
}

/**
 * Gives outbox rows to the relay. One relay at a time leads, by a row that lapses with its owner: it alone knows what it
 * has given out, so that nothing is written for that, and a row is read once and deleted once. What a zombie publishes late
 * its successor has published too: twice under one id. It ends nothing any more.
 */
export class Relaying {
  readonly #environment: Environment
  readonly #owners: Owners
  readonly #low: LowWater
  readonly #single: boolean
  readonly #doubt: Doubt
  readonly #out = new Map<number, Given>()
  /** Places of which a row is out. */
  readonly #places = new Set<string>()
  /** Commands that are out no more although nobody said how they ended, with who has claimed them. */
  readonly #left = new Map<number, string>()
  readonly #channels = new Set<string>()
  /** The key at which the next look among the keys of a channel begins. */
  readonly #from = new Map<string, string>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(environment: Environment, owners: Owners) {
    this.#environment = environment
    this.#owners = owners
    this.#low = new LowWater(environment)
    this.#single = guards(environment, 'one-unconfirmed')
    this.#doubt = new Doubt(environment)
  }

  /** One after the other: a claim knows what the one before has given out. */
  claim(owner: string, limit: number): Promise<OutboxRow[]> {
    const mine = this.#last.then(() => this.#claim(owner, limit))
    this.#last = mine.catch(() => {})
    return mine
  }

  async done(owner: string, ids: readonly number[]): Promise<void> {
    await this.#end(owner, ids, DONE)
  }

  async failed(owner: string, ids: readonly number[], retryAt: number): Promise<void> {
    await this.#end(owner, ids, FAILED, Math.ceil(retryAt))
  }

  async #claim(owner: string, limit: number): Promise<OutboxRow[]> {
    await this.#owners.ensure(owner, null, () => this.#forget(owner))
    this.#low.hint()
    const rows: OutboxRow[] = []
    try {
      await this.#doubt.around(
        () => this.#environment.writer.run(GIVE_UP, [owner, [...this.#out.keys()]]),
        () => this.#collect(owner, limit, rows),
      )
    } catch (error) {
      // nobody gets what was found before
      for (const { id } of rows) this.#takeBack(id)
      throw error
    }
    return rows.sort((a, b) => a.id - b.id)
  }

  async #collect(owner: string, limit: number, rows: OutboxRow[]): Promise<void> {
    await this.#giveBackLeft(owner)
    let answers = await this.#look(owner, limit)
    if (!answers.some(({ kind }) => kind === 'led')) {
      this.#forget(owner)
      if (!(await this.#owners.lead(owner))) return
      answers = await this.#look(owner, limit)
    }
    rows.push(...(await this.#give(owner, answers)))
    while (this.#learn(answers) && rows.length < limit) {
      answers = await this.#look(owner, limit - rows.length)
      rows.push(...(await this.#give(owner, answers)))
    }
    for (const { kind, channel, id } of answers) {
      if (kind !== 'more' || channel === null || rows.length >= limit) continue
      rows.push(...(await this.#byKey(owner, limit - rows.length, channel, id)))
    }
  }

  #look(owner: string, limit: number): Promise<Answer[]> {
    const channels = [...this.#channels].sort()
    return this.#environment.writer.all<Answer>(CLAIM, [
      owner,
      limit,
      [...this.#out.keys()],
      channels,
      channels.map((channel) => this.#low.of(channel)),
      this.#out.size + limit + Math.ceil(limit / 2),
      this.#environment.runtime.now(),
      this.#single,
      ['', ...channels],
      [...channels, LAST],
    ])
  }

  async #byKey(owner: string, limit: number, channel: string, end: number): Promise<OutboxRow[]> {
    let from = this.#from.get(channel) ?? ''
    for (let looks = 1; ; looks += 1) {
      const out = [...this.#out.keys()]
      const values = [owner, limit, out, channel, from, STEPS, end]
      const answers = await this.#environment.writer.all<Answer>(BY_KEY, values)
      const last = answers.find(({ kind }) => kind === 'last')?.key ?? null
      // the least text that comes after it
      from = last === null ? '' : `${last}\u{1}`
      this.#from.set(channel, from)
      const rows = await this.#give(owner, answers)
      if (rows.length > 0 || looks === LOOKS) return rows
    }
  }

  /** True: a channel was found that nobody knew. */
  #learn(answers: readonly Answer[]): boolean {
    const before = this.#channels.size
    for (const { kind, channel } of answers) if (kind === 'new' && channel !== null) this.#channels.add(channel)
    return this.#channels.size > before
  }

  /**
   * What was chosen, but for keys of which something is out: its row may have come later under a lower id. A command among
   * these is claimed by now, and would be nobody's for as long as its owner lives.
   */
  async #give(owner: string, answers: readonly Answer[]): Promise<OutboxRow[]> {
    const rows: OutboxRow[] = []
    let passed = false
    for (const answer of answers) {
      if (answer.kind !== 'row' || this.#out.has(answer.id)) continue
      const { id, messageId, channel, key, command } = answer as Row
      const place = key === null || !this.#single ? undefined : `${channel}\n${key}`
      if (place !== undefined && this.#places.has(place)) {
        passed ||= command
        continue
      }
      this.#out.set(id, { owner, place, command })
      if (place !== undefined) this.#places.add(place)
      rows.push({ id, messageId, channel, key, body: bodyOfRow(answer) })
    }
    if (passed) await this.#environment.writer.run(GIVE_UP, [owner, [...this.#out.keys()]])
    return rows.sort((a, b) => a.id - b.id)
  }

  async #end(owner: string, ids: readonly number[], how: typeof DONE, ...more: readonly unknown[]): Promise<void> {
    const mine = ids.filter((id) => this.#out.get(id)?.owner === owner)
    if (mine.length === 0) return
    const claimed = mine.filter((id) => this.#out.get(id)?.command)
    const connection = await this.#environment.writer.connection()
    const ended = connection.run(how, [owner, mine, ...more])
    // what stays may have been published all the same, and cannot be called off any more
    const unclaimed = claimed.length > 0 ? giveBack(connection, owner, claimed) : undefined
    await Promise.all([ended, unclaimed])
    for (const id of mine) this.#takeBack(id)
  }

  #takeBack(id: number): void {
    const place = this.#out.get(id)?.place
    this.#out.delete(id)
    if (place !== undefined) this.#places.delete(place)
  }

  /** Somebody else leads, or may. */
  #forget(owner: string): void {
    for (const [id, given] of this.#out) {
      if (given.owner !== owner) continue
      if (given.command) this.#left.set(id, owner)
      this.#takeBack(id)
    }
  }

  /** Should it lead again under its name, nobody would take it for dead, and its old claims would stay. */
  async #giveBackLeft(owner: string): Promise<void> {
    const ids = [...this.#left].filter(([, of]) => of === owner).map(([id]) => id)
    if (ids.length === 0) return
    await giveBack(await this.#environment.writer.connection(), owner, ids)
    for (const id of ids) this.#left.delete(id)
  }
}
