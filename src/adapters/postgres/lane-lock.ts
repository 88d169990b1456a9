import { createHash } from 'node:crypto'
import type { Connection } from './connection.ts'
import { statement } from './statement.ts'

/** In one order, whoever locks several: no two wait for each other. */
const LOCK = statement(
  'lane-lock',
  'SELECT pg_advisory_xact_lock(lane) FROM (SELECT DISTINCT unnest($1::bigint[]) AS lane ORDER BY 1) AS lanes',
)

/**
 * Locks the lanes of held rows for the rest of the transaction. Must come before the statement that looks at them: only a
 * later statement sees what the one before it has committed. Two lanes may share a lock, which costs a wait and nothing else.
 */
export async function lockLanes(
  connection: Connection,
  lanes: Iterable<{ handler: string; key: string }>,
): Promise<void> {
  const locks = [...new Set(Array.from(lanes, ({ handler, key }) => laneLock(handler, key)))]
  if (locks.length > 0) await connection.all(LOCK, [locks])
}

/** A number of 64 bits, as text. */
export function laneLock(handler: string, key: string): string {
  return createHash('sha1').update(`obverse lane\n${handler}\n${key}`).digest().readBigInt64BE(0).toString()
}
