import type { Unit } from 'obverse'
import type { Connection } from './connection.ts'
import { statement } from './statement.ts'

/** Locks keys in one order, whether they have events or not, and says where they are. */
const LOCK = statement(
  'lock-keys',
  `INSERT INTO obverse_key AS k (key, seq) SELECT key, 0 FROM unnest($1::text[]) AS u(key)
   ON CONFLICT (key) DO UPDATE SET seq = k.seq RETURNING k.key, k.seq`,
)

/** The seqs of every key that the units append to or expect something of, theirs until the end of the transaction. */
export async function lockKeys(
  connection: Connection,
  units: readonly (Unit | undefined)[],
): Promise<Map<string, number>> {
  const keys = new Set<string>()
  for (const unit of units) {
    if (!unit) continue
    for (const { key } of unit.events) keys.add(key)
    for (const key of unit.expected?.keys() ?? []) keys.add(key)
  }
  if (keys.size === 0) return new Map()
  const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1))
  const rows = await connection.all<{ key: string; seq: number }>(LOCK, [sorted])
  return new Map(rows.map(({ key, seq }) => [key, seq]))
}
