import type { Positions } from 'obverse'
import { Ceiling } from './ceiling.ts'
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
     DELETE FROM obverse_unstamped WHERE number = ANY (ARRAY(
       SELECT number FROM obverse_unstamped WHERE number >= $2 ORDER BY number LIMIT $1)) RETURNING number),
   head AS (SELECT coalesce(max(position), 0) AS at FROM obverse_position)
   INSERT INTO obverse_position (position, number)
   SELECT head.at + row_number() OVER (ORDER BY number), number FROM taken, head`,
)
const FIRST = statement(
  'stamp-first',
  'SELECT number FROM obverse_unstamped WHERE number >= $1 ORDER BY number LIMIT 1',
)
/** Milliseconds between looks at what may still be committed late. */
const EVERY = 250

/**
 * Looks begin at the first row that may be there. Those before it were stamped, and an old snapshot somewhere keeps hours of
 * them from being vacuumed.
 */
export function positions(environment: Environment): Positions {
  const { reader, runtime } = environment
  const ceiling = new Ceiling('obverse_unstamped', 'obverse_event_number')
  let low = 0
  let looked = Number.NEGATIVE_INFINITY
  return {
    async stamp(limit) {
      if (runtime.elapsed() - looked >= EVERY) {
        looked = runtime.elapsed()
        if (!(await ceiling.look(reader))) low = 0
      }
      const most = ceiling.value + 1
      // most looks find nothing, and need no lock for that
      const first = await reader.get<{ number: number }>(FIRST, [low])
      low = Math.min(first?.number ?? most, most)
      if (!first) return 0
      return inTransaction(environment, async (connection) => {
        // both at once, and both waited for: a session that ends fails the two of them
        const [, stamped] = await Promise.all([connection.all(LOCK), connection.run(STAMP, [limit, low])])
        return stamped
      })
    },
  }
}
