import type { Line } from './line.ts'
import { BODY, type BodyColumns, bodyOfRow, READY } from './queue.ts'
import { statement } from './statement.ts'

const FREE = 'NOT EXISTS (SELECT FROM obverse_claim c WHERE c.id = q.id)'
/** Due rows, taken or not, in the parts for which there is an index each. */
const COUNT = statement(
  'backlog-count',
  `SELECT channel, sum(messages) AS messages, sum(unsettled) AS unsettled FROM (
     SELECT channel, count(*) AS messages, 0 AS unsettled FROM obverse_queue WHERE ${READY} GROUP BY channel
     UNION ALL SELECT channel, count(*), 0 FROM obverse_queue WHERE retry_at IS NOT NULL GROUP BY channel
     UNION ALL SELECT channel, count(*), 0 FROM obverse_queue WHERE due <= $1 GROUP BY channel
     UNION ALL SELECT channel, 0, count(*) FROM obverse_claim GROUP BY channel) AS parts
   GROUP BY channel`,
)
/** Rows that nobody has, a few of each part in order; what has just become due comes after what is there. */
const waiting = (channel: string, limit: string): string => {
  const parts = [READY, 'q.retry_at IS NOT NULL', 'q.due <= $2'].map(
    (part) => `(SELECT q.* FROM obverse_queue q WHERE q.channel = ${channel} AND ${part} AND ${FREE}
      ORDER BY q.id LIMIT ${limit})`,
  )
  return `(SELECT * FROM (${parts.join(' UNION ALL ')}) AS q ORDER BY q.due NULLS FIRST, q.id LIMIT ${limit}) AS q`
}
const PEEK = statement(
  'backlog-peek',
  `SELECT ${BODY} AS body, q.bytes, e.seq, NULL::bigint AS position
   FROM ${waiting('$1', '$3')} LEFT JOIN obverse_event e ON e.number = q.event ORDER BY q.due NULLS FIRST, q.id`,
)
const OLDEST = statement(
  'backlog-oldest',
  `SELECT asked.channel, q.at FROM unnest($1::text[]) AS asked(channel)
   CROSS JOIN LATERAL ${waiting('asked.channel', '1')}`,
)
const ALL = statement(
  'backlog-all',
  'SELECT (SELECT count(*) FROM obverse_queue) AS count, (SELECT at FROM obverse_queue ORDER BY id LIMIT 1) AS at',
)
const PURGE = statement('backlog-purge', `DELETE FROM obverse_queue q WHERE q.channel = $1 AND ${FREE}`)

export interface ChannelCount {
  readonly channel: string
  readonly messages: number
  readonly unsettled: number
}

/** Due rows, taken or not, and how many are taken, by channel. */
export function counts(reader: Line, now: number): Promise<ChannelCount[]> {
  return reader.all<ChannelCount>(COUNT, [now])
}

/** Epoch ms at which the oldest due row that nobody has was added, by channel. */
export async function oldest(reader: Line, channels: readonly string[], now: number): Promise<Map<string, number>> {
  if (channels.length === 0) return new Map()
  const rows = await reader.all<{ channel: string; at: number }>(OLDEST, [channels, now])
  return new Map(rows.map(({ channel, at }) => [channel, at]))
}

/** Texts of the oldest due rows that nobody has. */
export async function peek(reader: Line, channel: string, limit: number, now: number): Promise<string[]> {
  return (await reader.all<BodyColumns>(PEEK, [channel, now, limit])).map(bodyOfRow)
}

/** All rows, delayed ones too, and the epoch ms at which the oldest was added. */
export async function total(reader: Line): Promise<{ readonly count: number; readonly at: number | null }> {
  return (await reader.get(ALL)) as { count: number; at: number | null }
}

/** Removes what nobody has, delayed rows too; returns how many. */
export function purge(writer: Line, channel: string): Promise<number> {
  return writer.run(PURGE, [channel])
}
