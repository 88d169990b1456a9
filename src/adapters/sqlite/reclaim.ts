import type { DeadLetters } from 'obverse'
import type { Environment } from './environment.ts'

/** Ids that are read at once, and rows, with their bodies, that one transaction takes back. */
const IDS = 10_000
const ROWS = 100

const UNKNOWN = `SELECT DISTINCT channel, type, version FROM obverse_held INDEXED BY obverse_held_unknown
  WHERE version IS NOT NULL AND state = 'dead'`
/** In the order in which they came. */
const OF_TYPES = `SELECT id FROM obverse_held INDEXED BY obverse_held_unknown
  WHERE version IS NOT NULL AND state = 'dead' AND +id > ? AND +id <= ?
  AND json_array(channel, type, version) IN (SELECT value FROM json_each(?)) ORDER BY +id LIMIT ${IDS}`
const TAKE_BACK = `DELETE FROM obverse_held WHERE id = ? AND version IS NOT NULL AND state = 'dead'
  RETURNING message_id, channel, body`
const LAST = 'SELECT max(id) AS id FROM obverse_held'

export interface RefusedRow {
  readonly message_id: string | null
  readonly channel: string
  readonly body: string
}

/**
 * Takes back what was refused as unknown and is known now. Most looks find nothing: those read an index and write
 * nothing. However many there are, only a few bodies are in memory, and others commit in between.
 */
export async function reclaim(
  { reader, writer }: Environment,
  knows: Parameters<DeadLetters['reclaim']>[0],
  sendBack: (row: RefusedRow) => void,
): Promise<number> {
  const unknown = await reader.read((r) => r.all<{ channel: string; type: string; version: number }>(UNKNOWN))
  const known = unknown.filter(({ channel, type, version }) => knows(type, version, channel))
  if (known.length === 0) return 0
  const types = JSON.stringify(known.map(({ channel, type, version }) => [channel, type, version]))
  // what is refused again meanwhile is for the next look
  const end = (await reader.read((r) => r.get<{ id: number | null }>(LAST)))?.id ?? 0
  let count = 0
  for (let last = 0; ; ) {
    const ids = (await reader.read((r) => r.all<{ id: number }>(OF_TYPES, last, end, types))).map(({ id }) => id)
    for (let from = 0; from < ids.length; from += ROWS) {
      count += await writer.submit(() => {
        let taken = 0
        for (const id of ids.slice(from, from + ROWS)) {
          const row = writer.connection.get<RefusedRow>(TAKE_BACK, id)
          if (!row) continue
          sendBack(row)
          taken += 1
        }
        return taken
      })
    }
    last = ids.at(-1) ?? last
    if (ids.length < IDS) return count
  }
}
