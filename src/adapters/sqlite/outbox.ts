import type { Outbox, OutboxRow } from 'obverse'
import { addedAt, countAll } from './backlog.ts'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import type { Owners } from './owners.ts'
import { READY, ripen } from './queue.ts'

/** Rows that are looked at for each that is wanted: those of keys that are under way are passed over. */
const BREADTH = 20

const NEXT_CHANNEL = `SELECT min(channel) AS channel FROM obverse_queue WHERE ${READY} AND channel > ?`
const CANDIDATES = `SELECT id, channel, key FROM obverse_queue WHERE channel = ? AND ${READY} ORDER BY id LIMIT ?`
const UNDER_WAY = `SELECT channel, key FROM obverse_queue WHERE owner IS NOT NULL AND key IS NOT NULL
  UNION ALL SELECT channel, key FROM obverse_queue WHERE retry_at IS NOT NULL AND key IS NOT NULL`
const TAKE = `UPDATE obverse_queue SET owner = ?, deliveries = deliveries + 1 WHERE id = ?
  RETURNING id, message_id AS messageId, channel, key, body`
const DONE = 'DELETE FROM obverse_queue WHERE id = ? AND owner = ?'
const DONE_UNFENCED = 'DELETE FROM obverse_queue WHERE id = ?'
const FAILED = 'UPDATE obverse_queue SET owner = NULL, retry_at = ? WHERE id = ? AND owner = ?'

/** The relay's half of the rows, for a broker elsewhere. */
export function outbox(environment: Environment, owners: Owners): Outbox {
  const { reader, writer, runtime } = environment
  const { connection: c } = writer
  const fenced = guards(environment, 'settlement-fence')
  const single = guards(environment, 'one-unconfirmed')
  return {
    claim: (owner, limit) =>
      writer.submit(
        () => {
          owners.ensure(c, owner)
          ripen(c, runtime.now())
          return choose(c, limit, single).map((id) => ({ ...(c.get<OutboxRow>(TAKE, owner, id) as OutboxRow) }))
        },
        { news: false, committed: () => owners.ensured(owner) },
      ),
    done: (owner, ids) =>
      writer.submit(() => {
        for (const id of ids) fenced ? c.run(DONE, id, owner) : c.run(DONE_UNFENCED, id)
      }),
    failed: (owner, ids, retryAt) =>
      writer.submit(() => {
        for (const id of ids) c.run(FAILED, retryAt, id, owner)
      }),
    waiting: () =>
      reader.read((r) => {
        const now = runtime.now()
        const oldest = addedAt(r)
        return { count: countAll(r, now), ...(oldest !== undefined && { oldest: Math.max(0, now - oldest) }) }
      }),
  }
}

/** In order of insertion, the first row of each channel and key of which nothing is under way. */
function choose(c: Connection, limit: number, single: boolean): number[] {
  const rows = candidates(c, limit * BREADTH)
  if (!single) return rows.slice(0, limit).map(({ id }) => id)
  const nameOf = ({ channel, key }: { channel: string; key: string | null }) => `${channel}\n${key}`
  const taken = new Set(c.all<{ channel: string; key: string }>(UNDER_WAY).map(nameOf))
  const chosen: number[] = []
  for (const row of rows) {
    if (chosen.length === limit) break
    if (row.key !== null) {
      const name = nameOf(row)
      if (taken.has(name)) continue
      taken.add(name)
    }
    chosen.push(row.id)
  }
  return chosen
}

interface Candidate {
  readonly id: number
  readonly channel: string
  readonly key: string | null
}

/** The oldest ready rows of every channel, by the index that has no others: a million delayed ones cost nothing. */
function candidates(c: Connection, limit: number): Candidate[] {
  const rows: Candidate[] = []
  let channel = ''
  for (;;) {
    const next = c.get<{ channel: string | null }>(NEXT_CHANNEL, channel)?.channel ?? null
    if (next === null) return rows.sort((a, b) => a.id - b.id)
    channel = next
    rows.push(...c.all<Candidate>(CANDIDATES, channel, limit))
  }
}
