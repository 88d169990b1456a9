import { ObverseError } from 'obverse'
import { appendOne, isLone } from './append-one.ts'
import type { Appending } from './appending.ts'
import { bigints, integers, texts } from './array.ts'
import type { Connection } from './connection.ts'
import { EVENT_NAMES, EventColumns, insertEvents, unnestEvents } from './event-columns.ts'
import { statement } from './statement.ts'

/**
 * Version check, events and queue rows of many units in one statement. Each unit has one key, and a key is there once. A unit
 * whose expected version does not hold has no row in `placed`, so nothing of it is written; the others are not touched by it.
 * Keys are locked by their rows, in the order given (sorted), and numbers are drawn after the locks.
 */
const APPEND = statement(
  'append',
  `WITH units AS (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[]) WITH ORDINALITY AS u(key, expected, count, unit)),
  created AS (
    INSERT INTO obverse_key AS k (key, seq) SELECT key, count FROM units WHERE expected = 0
    ON CONFLICT (key) DO UPDATE SET seq = excluded.seq WHERE k.seq = 0 RETURNING k.key, k.seq),
  moved AS (
    UPDATE obverse_key AS k SET seq = k.seq + u.count FROM units u
    WHERE u.expected > 0 AND k.key = u.key AND k.seq = u.expected RETURNING k.key, k.seq),
  added AS (
    INSERT INTO obverse_key AS k (key, seq) SELECT key, count FROM units WHERE expected IS NULL
    ON CONFLICT (key) DO UPDATE SET seq = k.seq + excluded.seq RETURNING k.key, k.seq),
  placed AS MATERIALIZED (
    SELECT u.unit, u.key, now.seq - u.count AS base
    FROM (SELECT * FROM created UNION ALL SELECT * FROM moved UNION ALL SELECT * FROM added) AS now JOIN units u USING (key)),
  numbered AS MATERIALIZED (
    SELECT nextval('obverse_event_number') AS number, rows.* FROM (
      SELECT e.ord, p.key, p.base + e.nth AS seq, ${EVENT_NAMES}
      FROM ${unnestEvents(6, ['$4::bigint[]', '$5::int[]'])} AS e(unit, nth, ${EVENT_NAMES}, ord)
      JOIN placed p USING (unit) ORDER BY e.ord) AS rows),
  ${insertEvents(6)}
  SELECT unit, base FROM placed`,
)
const SEQS = statement('seqs', 'SELECT key, seq FROM obverse_key WHERE key = ANY ($1::text[])')

/** The seq before each unit's first event; `undefined` where its expected version does not hold. */
export async function append(
  connection: Connection,
  units: readonly Appending[],
  now: number,
): Promise<readonly (number | undefined)[]> {
  const [only] = units
  if (only && units.length === 1 && isLone(only)) return [await appendOne(connection, only, now)]
  const order = units
    .map((_, index) => index)
    .sort((a, b) => compare((units[a] as Appending).key, (units[b] as Appending).key))
  const [keys, expected, counts, unitOf, nth] = [[], [], [], [], []] as [
    string[],
    (number | null)[],
    number[],
    number[],
    number[],
  ]
  const columns = new EventColumns()
  for (const [place, index] of order.entries()) {
    const unit = units[index] as Appending
    keys.push(unit.key)
    expected.push(unit.expected)
    counts.push(unit.events.length)
    for (const [at, event] of unit.events.entries()) {
      unitOf.push(place + 1)
      nth.push(at + 1)
      columns.add(event)
    }
  }
  const rows = await connection.all<{ unit: number; base: number }>(APPEND, [
    texts(keys),
    bigints(expected),
    integers(counts),
    bigints(unitOf),
    integers(nth),
    ...columns.values(now),
  ])
  const bases: (number | undefined)[] = new Array(units.length).fill(undefined)
  for (const { unit, base } of rows) bases[order[unit - 1] as number] = base
  return bases
}

/** Says of each key that was not where it was expected where it is. */
export async function conflicts(
  connection: Pick<Connection, 'all'>,
  units: readonly Appending[],
): Promise<readonly ObverseError[]> {
  const rows = await connection.all<{ key: string; seq: number }>(SEQS, [units.map(({ key }) => key)])
  const seqs = new Map(rows.map(({ key, seq }) => [key, seq]))
  return units.map(({ key, expected }) => conflictOf(key, seqs.get(key) ?? 0, expected ?? 0))
}

export function conflictOf(key: string, at: number, expected: number): ObverseError {
  const says = at === expected ? `was not at version ${expected} a moment ago` : `is at version ${at}, not ${expected}`
  return new ObverseError(
    'CONFLICT',
    `${JSON.stringify(key)} ${says}: somebody else changed it; load it again and decide anew`,
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
