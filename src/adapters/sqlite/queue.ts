import type { Connection } from './connection.ts'

export const READY = 'owner IS NULL AND due IS NULL AND retry_at IS NULL'

/** Ready rows that one claim looks at, at most, where the keys of many are with somebody else. */
const SCAN = 5_000

const DUE = 'SELECT min(due) AS at FROM obverse_queue WHERE due IS NOT NULL'
const RETRY = 'SELECT min(retry_at) AS at FROM obverse_queue WHERE retry_at IS NOT NULL'
const RIPEN_DUE = 'UPDATE obverse_queue SET due = NULL WHERE due IS NOT NULL AND due <= ?'
const RIPEN_RETRY = 'UPDATE obverse_queue SET retry_at = NULL WHERE retry_at IS NOT NULL AND retry_at <= ?'
const ANY_READY = `SELECT 1 FROM obverse_queue WHERE channel = ? AND ${READY} LIMIT 1`
/** Keys that others are at: their later rows wait, so that one owner at a time has a key. */
const TAKEN = `SELECT key FROM obverse_queue WHERE owner IS NOT NULL AND channel = ?1 AND owner <> ?2 AND key IS NOT NULL`
const CLAIM = claim(`key IS NULL OR key NOT IN (${TAKEN})`)
const CLAIM_ANY = claim('TRUE')
const GIVE_BACK = 'UPDATE obverse_queue SET owner = NULL WHERE id = ? AND owner = ?'

function claim(free: string): string {
  return `UPDATE obverse_queue SET owner = ?2, deliveries = deliveries + 1 WHERE id IN (
    SELECT id FROM (SELECT id, key FROM obverse_queue WHERE channel = ?1 AND ${READY} ORDER BY id LIMIT ${SCAN})
    WHERE ${free} ORDER BY id LIMIT ?3)
  RETURNING id, deliveries, body`
}

export interface TakenRow {
  readonly id: number
  readonly deliveries: number
  readonly body: string
}

/** Epoch ms at which the next delayed row becomes due. */
export function nextDue(c: Connection): number | undefined {
  return c.get<{ at: number | null }>(DUE)?.at ?? undefined
}

/** Epoch ms at which the next failed row may be taken again. */
export function nextRetry(c: Connection): number | undefined {
  return c.get<{ at: number | null }>(RETRY)?.at ?? undefined
}

/** Lets in what has become due. */
export function ripen(c: Connection, now: number): void {
  if ((nextDue(c) ?? now + 1) <= now) c.run(RIPEN_DUE, now)
  if ((nextRetry(c) ?? now + 1) <= now) c.run(RIPEN_RETRY, now)
}

/** Is there anything that `take` might find? A look that writes nothing. */
export function hasReady(c: Connection, channel: string, now: number): boolean {
  return c.get(ANY_READY, channel) !== undefined || (nextDue(c) ?? now + 1) <= now
}

/** The oldest rows of `channel` whose keys nobody else is at (`ordered`), taken for `owner`, in order. */
export function take(
  c: Connection,
  channel: string,
  owner: string,
  limit: number,
  now: number,
  ordered: boolean,
): TakenRow[] {
  ripen(c, now)
  return c.all<TakenRow>(ordered ? CLAIM : CLAIM_ANY, channel, owner, limit).sort((a, b) => a.id - b.id)
}

/** Rows that were taken and are not wanted: they wait again, in their place. */
export function giveBack(c: Connection, owner: string, ids: readonly number[]): void {
  for (const id of ids) c.run(GIVE_BACK, id, owner)
}
