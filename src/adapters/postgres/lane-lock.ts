import { hash } from 'node:crypto'
import { hashes } from './array.ts'
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
  const named = new Map<string, Buffer>()
  for (const { handler, key } of lanes) {
    const name = nameOf(handler, key)
    if (!named.has(name)) named.set(name, hashOf(name))
  }
  if (named.size > 0) await connection.all(LOCK, [hashes([...named.values()])])
}

/** A number of 64 bits, as text. */
export function laneLock(handler: string, key: string): string {
  return hashOf(nameOf(handler, key)).readBigInt64BE(0).toString()
}

function nameOf(handler: string, key: string): string {
  return `obverse lane\n${handler}\n${key}`
}

function hashOf(name: string): Buffer {
  return hash('sha1', name, 'buffer')
}
