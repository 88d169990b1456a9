import type { Connection } from './connection.ts'
import { FREE, READY } from './queue.ts'

/** Due rows, taken or not, in the parts for which there is an index each; `?1` is now. */
const DUE = [
  `obverse_queue INDEXED BY obverse_queue_ready WHERE ${READY} AND ?1 > 0`,
  'obverse_queue INDEXED BY obverse_queue_retry WHERE retry_at IS NOT NULL AND ?1 > 0',
  'obverse_queue INDEXED BY obverse_queue_due WHERE due IS NOT NULL AND due <= ?1',
]
const COUNT = DUE.map((part) => `SELECT channel, count(*) AS count FROM ${part} GROUP BY channel`)
const PEEK = DUE.map((part) => `SELECT id, body FROM ${part} AND channel = ?2 AND ${FREE} ORDER BY id LIMIT ?3`)
const FIRST = DUE.map((part) => `SELECT id, at FROM ${part} AND channel = ?2 AND ${FREE} ORDER BY id LIMIT 1`)
const COUNT_TAKEN = 'SELECT channel, count(*) AS count FROM obverse_claim GROUP BY channel'
const COUNT_LATER = 'SELECT count(*) AS count FROM obverse_queue WHERE due IS NOT NULL AND due > ?'
const PURGE = [
  `DELETE FROM obverse_queue WHERE channel = ? AND ${READY} AND ${FREE}`,
  'DELETE FROM obverse_queue WHERE channel = ? AND retry_at IS NOT NULL',
  'DELETE FROM obverse_queue WHERE channel = ? AND due IS NOT NULL',
]
const OLDEST = 'SELECT at FROM obverse_queue ORDER BY id LIMIT 1'

export interface ChannelCount {
  readonly channel: string
  readonly count: number
}

/** Due rows, taken or not, by channel; a channel may come more than once. */
export function countDue(c: Connection, now: number): ChannelCount[] {
  return COUNT.flatMap((sql) => c.all<ChannelCount>(sql, now))
}

/** Rows that somebody has, by channel. */
export function countTaken(c: Connection): ChannelCount[] {
  return c.all<ChannelCount>(COUNT_TAKEN)
}

/** All rows, delayed ones too. Counted in indexes, since the table itself is as large as the bodies are. */
export function countAll(c: Connection, now: number): number {
  const later = c.get<{ count: number }>(COUNT_LATER, now)?.count ?? 0
  return countDue(c, now).reduce((sum, { count }) => sum + count, later)
}

/** Epoch ms at which the oldest row of all was added. */
export function oldest(c: Connection): number | undefined {
  return c.get<{ at: number }>(OLDEST)?.at
}

/** Epoch ms at which the oldest due row that nobody has was added. */
export function oldestWaiting(c: Connection, channel: string, now: number): number | undefined {
  const rows = FIRST.flatMap((sql) => c.all<{ id: number; at: number }>(sql, now, channel))
  return rows.sort((a, b) => a.id - b.id)[0]?.at
}

/** Bodies of the oldest due rows that nobody has. */
export function peek(c: Connection, channel: string, limit: number, now: number): string[] {
  const rows = PEEK.flatMap((sql) => c.all<{ id: number; body: string }>(sql, now, channel, limit))
  rows.sort((a, b) => a.id - b.id)
  return rows.slice(0, limit).map(({ body }) => body)
}

/** Removes what nobody has, delayed rows too; returns how many. */
export function purge(c: Connection, channel: string): number {
  return PURGE.reduce((sum, sql) => sum + c.run(sql, channel), 0)
}
