import { createHash } from 'node:crypto'
import { atOnce } from './at-once.ts'
import type { Connection } from './connection.ts'
import { BODY, type BodyColumns, inOrder, READY } from './queue.ts'
import { statement } from './statement.ts'

/** Free rows that are looked at in the order of their arrival, at least; what comes after them is found by its key. */
const WINDOW = 64
/** Keys of one look. */
const STEPS = 256

/** $1 channel, $2 owner, $3 limit, $4 per key, $5 low. Rooms: a key that had its fill gets more when half of it is done. */
const CLAIMS = `claims AS MATERIALIZED (SELECT id, key, owner FROM obverse_claim WHERE channel = $1 AND id >= $5),
  rooms AS MATERIALIZED (SELECT key, CASE WHEN bool_or(owner <> $2) OR count(*) * 2 > $4 THEN 0 ELSE $4 - count(*) END AS room
    FROM claims WHERE key IS NOT NULL GROUP BY key),
  known AS MATERIALIZED (SELECT FROM obverse_owner WHERE id = $2)`
/** Bodies are read of the chosen rows only. Whoever called a message off at this moment has claimed it too. */
const CLAIM = `claimed AS (INSERT INTO obverse_claim (id, channel, key, owner)
    SELECT id, $1, key, $2 FROM chosen WHERE EXISTS (SELECT FROM known) ORDER BY id LIMIT $3
    ON CONFLICT DO NOTHING RETURNING id)`
const ROWS = `SELECT q.id, q.key, q.taken, ${BODY} AS body, q.bytes, e.seq, NULL::bigint AS position, NULL::bigint AS "end",
    NULL::text AS last, true AS known
  FROM claimed CROSS JOIN LATERAL (SELECT * FROM obverse_queue q WHERE q.id = claimed.id LIMIT 1) AS q
    LEFT JOIN LATERAL (SELECT * FROM obverse_event e WHERE e.number = q.event LIMIT 1) AS e ON true`
const FREE = 'q.id NOT IN (SELECT id FROM claims)'
const NOTHING = 'SELECT NULL::bigint, NULL, NULL::boolean, NULL, NULL::bytea, NULL::bigint, NULL::bigint'

const OLDEST = statement(
  'choice-oldest',
  `WITH ${CLAIMS},
  seen AS MATERIALIZED (SELECT one.* FROM (SELECT $1::text AS channel, $5::bigint AS low OFFSET 0) AS c CROSS JOIN LATERAL (
    SELECT q.id, q.key FROM obverse_queue q WHERE ${FREE} AND ${inOrder('c')} LIMIT $6) AS one),
  ranked AS (SELECT s.id, s.key, row_number() OVER (PARTITION BY s.key ORDER BY s.id) AS place, coalesce(r.room, $4) AS room
    FROM seen s LEFT JOIN rooms r ON r.key = s.key),
  chosen AS (SELECT id, key FROM ranked WHERE key IS NULL OR place <= room OR NOT $7::boolean),
  ${CLAIM}
  ${ROWS}
  UNION ALL
  ${NOTHING}, (SELECT CASE WHEN count(*) = $6 THEN max(id) END FROM seen), NULL, EXISTS (SELECT FROM known)`,
)
/** $6: the key from which on to look, $7: keys to look at, $8: the id after which keyless rows are. */
const BY_KEY = statement(
  'choice-by-key',
  `WITH RECURSIVE ${CLAIMS},
  walk (key, step) AS (
    SELECT (SELECT q.key FROM obverse_queue q
      WHERE q.channel = $1 AND q.due IS NULL AND q.key >= $6 ORDER BY q.channel, q.key, q.id LIMIT 1), 1
    UNION ALL
    SELECT (SELECT q.key FROM obverse_queue q
      WHERE q.channel = $1 AND q.due IS NULL AND q.key > w.key ORDER BY q.channel, q.key, q.id LIMIT 1), w.step + 1
    FROM walk w WHERE w.key IS NOT NULL AND w.step < $7),
  chosen AS (
    SELECT one.id, w.key FROM walk w LEFT JOIN rooms r USING (key)
      CROSS JOIN LATERAL (SELECT q.id FROM obverse_queue q
        WHERE q.channel = $1 AND q.key = w.key AND ${READY} AND ${FREE} ORDER BY q.channel, q.key, q.id LIMIT coalesce(r.room, $4)) AS one
    WHERE w.key IS NOT NULL
    UNION ALL
    (SELECT q.id, NULL FROM obverse_queue q
     WHERE q.channel = $1 AND q.key IS NULL AND q.id > $8 AND ${READY} AND ${FREE} ORDER BY q.id LIMIT $3)),
  ${CLAIM}
  ${ROWS}
  UNION ALL
  ${NOTHING}, NULL, (SELECT key FROM walk ORDER BY step DESC LIMIT 1), EXISTS (SELECT FROM known)`,
)

export interface Wish {
  readonly channel: string
  readonly owner: string
  readonly limit: number
  /** Rows of one key that the owner has at once, at most. */
  readonly perKey: number
  /** From which id on the channel has rows. */
  readonly low: number
  /** False (a canary): whatever is oldest. */
  readonly lanes: boolean
}

export interface TakenRow extends BodyColumns {
  readonly id: number
  readonly key: string | null
  /** Somebody had it before. */
  readonly taken: boolean
}

interface Answer extends Omit<TakenRow, 'id'> {
  readonly id: number | null
  readonly end: number | null
  readonly last: string | null
  readonly known: boolean
}

/**
 * What an owner may take of a channel: the oldest rows, except of keys that others are at, and of each key only so
 * many that the others have room. However long the run of one key is, the keys behind it are found: by an index, a few
 * at each look, going round.
 */
export class Choice {
  /** The key at which the next look among keys begins. */
  #from = ''

  /** Takes it. `undefined`: nobody knows the owner any more. */
  async take(connection: Connection, wish: Wish): Promise<TakenRow[] | undefined> {
    const { channel, owner, limit, perKey, low, lanes } = wish
    const window = Math.max(WINDOW, 2 * limit)
    const oldest = await answers(connection, wish, OLDEST, [channel, owner, limit, perKey, low, window, lanes])
    if (!oldest.known) return undefined
    const { rows, end } = oldest
    if (rows.length === limit || end === null) return rows
    return [...rows, ...(await this.#byKey(connection, { ...wish, limit: limit - rows.length }, end))]
  }

  /** Keys in vain are those of which somebody has rows, so there are not many. */
  async #byKey(connection: Connection, wish: Wish, end: number): Promise<TakenRow[]> {
    const { channel, owner, limit, perKey, low } = wish
    for (let round = this.#from === ''; ; ) {
      const values = [channel, owner, limit, perKey, low, this.#from, STEPS, end]
      const { rows, last } = await answers(connection, wish, BY_KEY, values)
      // the least text that comes after it
      this.#from = last === null ? '' : `${last}\u{1}`
      if (rows.length > 0 || (round && last === null)) return rows
      round ||= last === null
    }
  }
}

async function answers(
  connection: Connection,
  { channel }: Wish,
  look: typeof OLDEST,
  values: readonly unknown[],
): Promise<{ rows: TakenRow[]; end: number | null; last: string | null; known: boolean }> {
  const found = await atOnce(connection, () => connection.all<Answer>(look, values), beginOf(channel))
  const rows = found.filter((row): row is Answer & TakenRow => row.id !== null)
  const { end = null, last = null, known = false } = found.find(({ id }) => id === null) ?? {}
  return { rows: rows.sort((a, b) => a.id - b.id), end, last, known }
}

const begins = new Map<string, string>()

/** One consumer of a channel chooses at a time: what another has taken the moment before is seen by the next statement. */
function beginOf(channel: string): string {
  let begin = begins.get(channel)
  if (!begin) {
    const lock = createHash('sha1').update(`obverse queue\n${channel}`).digest().readBigInt64BE(0)
    begin = `BEGIN; SELECT pg_advisory_xact_lock(${lock})`
    begins.set(channel, begin)
  }
  return begin
}
