import type { Connection } from './connection.ts'

/** Rows that are there for whoever comes first, among them those that somebody has: `obverse_claim` tells. */
export const READY = 'due IS NULL AND retry_at IS NULL'
export const FREE = 'id NOT IN (SELECT id FROM obverse_claim)'

const DUE = 'SELECT min(due) AS at FROM obverse_queue WHERE due IS NOT NULL'
const RETRY = 'SELECT min(retry_at) AS at FROM obverse_queue WHERE retry_at IS NOT NULL'
const RIPEN_DUE = 'UPDATE obverse_queue SET due = NULL WHERE due IS NOT NULL AND due <= ?'
const RIPEN_RETRY = 'UPDATE obverse_queue SET retry_at = NULL WHERE retry_at IS NOT NULL AND retry_at <= ?'
const ANY_READY = `SELECT 1 FROM obverse_queue WHERE channel = ? AND ${READY} AND ${FREE} LIMIT 1`
/** Bodies are read of the chosen rows only. */
const ROW = 'SELECT id, key, taken, body FROM obverse_queue WHERE id = ?'
const CLAIM = 'INSERT INTO obverse_claim (id, channel, owner, key) VALUES (?, ?, ?, ?)'
const MARK_TAKEN =
  'UPDATE obverse_queue SET taken = 1 WHERE id = ? AND id IN (SELECT id FROM obverse_claim WHERE owner = ?)'
const MARK_ALL_TAKEN = 'UPDATE obverse_queue SET taken = 1 WHERE id IN (SELECT id FROM obverse_claim WHERE owner = ?)'
const UNCLAIM = 'DELETE FROM obverse_claim WHERE id = ? AND owner = ?'
const UNCLAIM_ALL = 'DELETE FROM obverse_claim WHERE owner = ?'
const UNCLAIM_ANYHOW = 'DELETE FROM obverse_claim WHERE id = ?'
const REMOVE = 'DELETE FROM obverse_queue WHERE id = ?'
const RETRY_LATER = 'UPDATE obverse_queue SET retry_at = ? WHERE id = ?'
const CLAIMANTS = 'SELECT DISTINCT owner FROM obverse_claim'
const IS_CLAIMED = 'SELECT 1 FROM obverse_claim WHERE id = ? AND owner = ?'

export interface Chosen {
  readonly id: number
  readonly key: string | null
}

export interface TakenRow extends Chosen {
  /** 1: somebody had it before. */
  readonly taken: number
  readonly body: string
}

/** Epoch ms at which the next delayed row becomes due. */
export function nextDue(c: Connection): number | undefined {
  return c.get<{ at: number | null }>(DUE)?.at ?? undefined
}

function nextRetry(c: Connection): number | undefined {
  return c.get<{ at: number | null }>(RETRY)?.at ?? undefined
}

/** Lets in what has become due. */
export function ripen(c: Connection, now: number): void {
  if ((nextDue(c) ?? now + 1) <= now) c.run(RIPEN_DUE, now)
  if ((nextRetry(c) ?? now + 1) <= now) c.run(RIPEN_RETRY, now)
}

/** Is there anything that `take` might find? A look that writes nothing. */
export function hasReady(c: Connection, channel: string, now: number): boolean {
  return c.get(ANY_READY, channel) !== undefined || hasDue(c, now)
}

/** Is there anything for `ripen` to let in? */
export function hasDue(c: Connection, now: number): boolean {
  return (nextDue(c) ?? now + 1) <= now
}

/** Takes rows for `owner`, in the order given. */
export function take(c: Connection, channel: string, owner: string, chosen: readonly Chosen[]): TakenRow[] {
  return chosen.map(({ id, key }) => {
    claim(c, id, channel, owner, key)
    return c.get<TakenRow>(ROW, id) as TakenRow
  })
}

export function claim(c: Connection, id: number, channel: string, owner: string, key: string | null): void {
  c.run(CLAIM, id, channel, owner, key)
}

export function isClaimed(c: Connection, id: number, owner: string): boolean {
  return c.get(IS_CLAIMED, id, owner) !== undefined
}

/** Whoever has rows. */
export function claimants(c: Connection): string[] {
  return c.all<{ owner: string }>(CLAIMANTS).map(({ owner }) => owner)
}

/** Takes a row away for good, if `owner` still has it. Not `fenced` (a canary): whoever has it. */
export function settle(c: Connection, id: number, owner: string, fenced: boolean): boolean {
  if (fenced && c.run(UNCLAIM, id, owner) === 0) return false
  if (!fenced) c.run(UNCLAIM_ANYHOW, id)
  c.run(REMOVE, id)
  return true
}

/** Rows that were taken and are not wanted: they wait again, in their place. */
export function giveBack(c: Connection, owner: string, ids: readonly number[], retryAt?: number): void {
  for (const id of ids) {
    c.run(MARK_TAKEN, id, owner)
    if (c.run(UNCLAIM, id, owner) === 1 && retryAt !== undefined) c.run(RETRY_LATER, retryAt, id)
  }
}

/** Everything that an owner has waits again. */
export function giveBackAll(c: Connection, owner: string): void {
  c.run(MARK_ALL_TAKEN, owner)
  c.run(UNCLAIM_ALL, owner)
}
