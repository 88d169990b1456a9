import type { Positions } from 'obverse'
import type { Environment } from './environment.ts'
import { statement } from './statement.ts'
import { inTransaction } from './transaction.ts'

/** Who stamps: one at a time, until its commit. No leader, so none that could wake up late and write. */
const LOCK = statement('stamp-lock', 'SELECT pg_advisory_xact_lock(6283186538719)')
/**
 * A later statement than the lock, so that it sees what the stamper before has committed. `number` rises with `seq` in a key
 * and is drawn under the key's lock: among the committed rows it keeps the order of every key. A row that commits late is
 * stamped late, and skipped by nobody.
 */
const STAMP = statement(
  'stamp',
  `WITH taken AS (
     DELETE FROM obverse_unstamped WHERE number IN (SELECT number FROM obverse_unstamped ORDER BY number LIMIT $1)
     RETURNING number),
   head AS (SELECT coalesce(max(position), 0) AS at FROM obverse_position)
   INSERT INTO obverse_position (position, number)
   SELECT head.at + row_number() OVER (ORDER BY number), number FROM taken, head`,
)
const WAITING = statement('stamp-waiting', 'SELECT EXISTS (SELECT FROM obverse_unstamped) AS some')

export function positions(environment: Environment): Positions {
  const { reader } = environment
  return {
    async stamp(limit) {
      // most looks find nothing, and need no lock for that
      const look = await reader.get<{ some: boolean }>(WAITING)
      if (!look?.some) return 0
      return inTransaction(environment, async (connection) => {
        // both at once, and both waited for: a session that ends fails the two of them
        const [, stamped] = await Promise.all([connection.all(LOCK), connection.run(STAMP, [limit])])
        return stamped
      })
    },
  }
}
