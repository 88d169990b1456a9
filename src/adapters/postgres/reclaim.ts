import type { DeadLetters } from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { statement } from './statement.ts'
import { inTransaction } from './transaction.ts'

/** Ids that are read at once, and rows, with their bodies, that one transaction takes back. */
const IDS = 10_000
const ROWS = 100

const UNKNOWN = statement(
  'reclaim-unknown',
  `SELECT DISTINCT channel, type, version FROM obverse_held WHERE version IS NOT NULL AND state = 'dead'`,
)
/** In the order in which they came. */
const OF_TYPES = statement(
  'reclaim-ids',
  `SELECT h.id FROM unnest($3::text[], $4::text[], $5::int[]) AS known(channel, type, version)
   JOIN obverse_held h ON h.channel = known.channel AND h.type = known.type AND h.version = known.version
   WHERE h.version IS NOT NULL AND h.state = 'dead' AND h.id > $1 AND h.id <= $2 ORDER BY h.id LIMIT ${IDS}`,
)
const TAKE_BACK = statement(
  'reclaim-take-back',
  `DELETE FROM obverse_held WHERE id = ANY ($1::bigint[]) AND version IS NOT NULL AND state = 'dead'
   RETURNING id, message_id AS "messageId", channel, body`,
)
const LAST = statement('reclaim-last', 'SELECT max(id) AS id FROM obverse_held')

export interface RefusedRow {
  readonly messageId: string | null
  readonly channel: string
  readonly body: Buffer
}

/**
 * Takes back what was refused as unknown and is known now. Most looks find nothing: those read an index and write
 * nothing. However many there are, only a few bodies are in memory.
 */
export async function reclaim(
  environment: Environment,
  knows: Parameters<DeadLetters['reclaim']>[0],
  sendBack: (connection: Connection, rows: readonly RefusedRow[]) => Promise<void>,
): Promise<number> {
  const { reader } = environment
  const unknown = await reader.all<{ channel: string; type: string; version: number }>(UNKNOWN)
  const known = unknown.filter(({ channel, type, version }) => knows(type, version, channel))
  if (known.length === 0) return 0
  const types = [known.map(({ channel }) => channel), known.map(({ type }) => type), known.map((one) => one.version)]
  // what is refused again meanwhile is for the next look
  const end = (await reader.get<{ id: number | null }>(LAST))?.id ?? 0
  let count = 0
  for (let last = 0; ; ) {
    const ids = (await reader.all<{ id: number }>(OF_TYPES, [last, end, ...types])).map(({ id }) => id)
    for (let from = 0; from < ids.length; from += ROWS) {
      count += await inTransaction(environment, async (connection) => {
        const rows = await connection.all<RefusedRow & { id: number }>(TAKE_BACK, [ids.slice(from, from + ROWS)])
        await sendBack(
          connection,
          rows.sort((a, b) => a.id - b.id),
        )
        return rows.length
      })
    }
    last = ids.at(-1) ?? last
    if (ids.length < IDS) return count
  }
}
