// Ways to read a log that others append to, ours and three that are known from elsewhere. Only the first is right.
import type { OpenStore } from 'obverse'
import pg from 'pg'

/** One event, in the order in which a reader has met it. */
export interface Seen {
  readonly id: string
  readonly key: string
  readonly seq: number
  readonly position?: number
}

export interface Reader {
  readonly name: string
  readonly seen: Seen[]
  /** Reads what comes after what it read last; how many those were. */
  read(): Promise<number>
  close(): Promise<void>
}

const PAGE = 500

export function byPosition({ log }: OpenStore): Reader {
  const seen: Seen[] = []
  let after = 0
  return {
    name: 'by position',
    seen,
    async read() {
      const { events, scannedTo } = await log.after(after, PAGE)
      for (const { id, key, seq, position } of events) seen.push({ id, key, seq, ...(position && { position }) })
      after = scannedTo
      return events.length
    },
    close: async () => {},
  }
}

const COLUMNS = 'e.id, e.key, e.seq, e.number, e.xmin::text::bigint AS xid'
/** Whoever has begun and not ended is not below it. */
const CEILING = 'e.xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint'

/** By the number that was drawn when the row was inserted. Who commits late is passed over. */
export function byNumber(url: string): Promise<Reader> {
  return reader(
    'by number',
    url,
    `SELECT ${COLUMNS} FROM obverse_event e WHERE e.number > $1 AND $2::bigint IS NOT NULL ORDER BY e.number LIMIT ${PAGE}`,
  )
}

/** By transaction, below the oldest that runs. Who began early and appended late comes before what it has followed. */
export function byTransaction(url: string): Promise<Reader> {
  return reader(
    'by (xid, number)',
    url,
    `SELECT ${COLUMNS} FROM obverse_event e WHERE (e.xmin::text::bigint, e.number) > ($2::bigint, $1::bigint) AND ${CEILING}
     ORDER BY 5, 4 LIMIT ${PAGE}`,
  )
}

/** By number, below the oldest that runs. Who drew a number early and runs still is passed over by who began before. */
export function byNumberBelowCeiling(url: string): Promise<Reader> {
  return reader(
    'by number below xmin',
    url,
    `SELECT ${COLUMNS} FROM obverse_event e WHERE e.number > $1 AND $2::bigint IS NOT NULL AND ${CEILING}
     ORDER BY e.number LIMIT ${PAGE}`,
  )
}

async function reader(name: string, url: string, sql: string): Promise<Reader> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const seen: Seen[] = []
  let [number, xid] = ['0', '0']
  return {
    name,
    seen,
    async read() {
      const { rows } = await client.query<{ id: string; key: string; seq: string; number: string; xid: string }>(sql, [
        number,
        xid,
      ])
      for (const row of rows) {
        seen.push({ id: row.id, key: row.key, seq: Number(row.seq) })
        number = row.number
        xid = row.xid
      }
      return rows.length
    },
    close: () => client.end(),
  }
}

export interface Verdict {
  readonly read: number
  readonly lost: number
  readonly twice: number
  /** Read although it was rolled back. */
  readonly ghosts: number
  /** Read after a later one of its key. */
  readonly inverted: number
}

/** What a reader has made of what was committed. */
export function judge(committed: ReadonlySet<string>, { seen }: Reader): Verdict {
  const ids = new Set(seen.map(({ id }) => id))
  const last = new Map<string, number>()
  let inverted = 0
  for (const { key, seq } of seen) {
    if (seq < (last.get(key) ?? 0)) inverted += 1
    last.set(key, Math.max(seq, last.get(key) ?? 0))
  }
  return {
    read: seen.length,
    lost: committed.difference(ids).size,
    twice: seen.length - ids.size,
    ghosts: ids.difference(committed).size,
    inverted,
  }
}
