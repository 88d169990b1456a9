import type { Outbox, OutboxRow } from 'obverse'
import { countAll, oldest } from './backlog.ts'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import type { Owners } from './owners.ts'
import { claim, FREE, giveBack, READY, ripen, settle } from './queue.ts'

/** Rows that are looked at for each that is wanted: those of keys that are under way are passed over. */
const BREADTH = 20

const NEXT_CHANNEL = `SELECT min(channel) AS channel FROM obverse_queue WHERE ${READY} AND channel > ?`
const CANDIDATES = `SELECT id, channel, key FROM obverse_queue WHERE channel = ? AND ${READY} AND ${FREE}
  ORDER BY id LIMIT ?`
const UNDER_WAY = `SELECT channel, key FROM obverse_claim WHERE key IS NOT NULL
  UNION ALL SELECT channel, key FROM obverse_queue WHERE retry_at IS NOT NULL AND key IS NOT NULL`
const ROW = 'SELECT id, message_id AS messageId, channel, key, body FROM obverse_queue WHERE id = ?'

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
          return choose(c, limit, single).map(({ id, channel, key }): OutboxRow => {
            claim(c, id, channel, owner, key)
            return { ...(c.get<OutboxRow>(ROW, id) as OutboxRow) }
          })
        },
        { news: false, committed: () => owners.ensured(owner) },
      ),
    done: (owner, ids) =>
      writer.submit(() => {
        for (const id of ids) settle(c, id, owner, fenced)
      }),
    failed: (owner, ids, retryAt) => writer.submit(() => giveBack(c, owner, ids, retryAt)),
    waiting: () =>
      reader.read((r) => {
        const now = runtime.now()
        const since = oldest(r)
        return { count: countAll(r, now), ...(since !== undefined && { oldest: Math.max(0, now - since) }) }
      }),
  }
}

/** In order of insertion, the first row of each channel and key of which nothing is under way. */
function choose(c: Connection, limit: number, single: boolean): Candidate[] {
  const rows = candidates(c, limit * BREADTH)
  if (!single) return rows.slice(0, limit)
  const nameOf = ({ channel, key }: { channel: string; key: string | null }) => `${channel}\n${key}`
  const taken = new Set(c.all<{ channel: string; key: string }>(UNDER_WAY).map(nameOf))
  const chosen: Candidate[] = []
  for (const row of rows) {
    if (chosen.length === limit) break
    if (row.key !== null) {
      const name = nameOf(row)
      if (taken.has(name)) continue
      taken.add(name)
    }
    chosen.push(row)
  }
  return chosen
}

interface Candidate {
  readonly id: number
  readonly channel: string
  readonly key: string | null
}

/** The oldest free rows of every channel, by the index that has no others: a million delayed ones cost nothing. */
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
