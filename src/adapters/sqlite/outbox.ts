import type { Outbox, OutboxRow } from 'obverse'
import { countAll, oldest } from './backlog.ts'
import { Choice, oldest as oldestRows } from './choice.ts'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import type { Owners } from './owners.ts'
import { type Chosen, claim, giveBack, READY, ripen, settle } from './queue.ts'

const NEXT_CHANNEL = `SELECT min(channel) AS channel FROM obverse_queue WHERE ${READY} AND channel > ?`
/** Their next rows wait with them. */
const RETRYING = 'SELECT key FROM obverse_queue WHERE channel = ? AND retry_at IS NOT NULL AND key IS NOT NULL'
const ROW = 'SELECT id, message_id AS messageId, channel, key, body FROM obverse_queue WHERE id = ?'

/** The relay's half of the rows, for a broker elsewhere. */
export function outbox(environment: Environment, owners: Owners): Outbox {
  const { reader, writer, runtime } = environment
  const { connection: c } = writer
  const fenced = guards(environment, 'settlement-fence')
  const single = guards(environment, 'one-unconfirmed')
  const choices = new Map<string, Choice>()
  return {
    claim: (owner, limit) =>
      writer.submit(
        () => {
          owners.ensure(c, owner)
          ripen(c, runtime.now())
          return choose(c, choices, owner, limit, single).map(({ id, channel, key }): OutboxRow => {
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
function choose(c: Connection, choices: Map<string, Choice>, owner: string, limit: number, single: boolean): Row[] {
  const rows: Row[] = []
  for (const channel of channels(c)) {
    const choice = choices.get(channel) ?? new Choice()
    choices.set(channel, choice)
    const except = c.all<{ key: string }>(RETRYING, channel).map(({ key }) => key)
    const chosen = single
      ? choice.choose(c, { channel, owner, limit, perKey: 1, except })
      : oldestRows(c, channel, limit)
    for (const { id, key } of chosen) rows.push({ id, key, channel })
  }
  return rows.sort((a, b) => a.id - b.id).slice(0, limit)
}

interface Row extends Chosen {
  readonly channel: string
}

/** Those that have rows, by the index that has no others: a million delayed ones cost nothing. */
function* channels(c: Connection): Generator<string> {
  for (let channel = ''; ; ) {
    const next = c.get<{ channel: string | null }>(NEXT_CHANNEL, channel)?.channel ?? null
    if (next === null) return
    channel = next
    yield channel
  }
}
