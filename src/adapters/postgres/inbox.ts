import type { Inbox, Settlement } from 'obverse'
import { type Environment, guards } from './environment.ts'
import { forgetAttempts } from './lane.ts'
import { settle } from './queue.ts'
import { statement } from './statement.ts'
import { storable } from './text.ts'

/** Nothing of a message that was handled: whoever records that late has lost it, and nobody would take it away. */
const ATTEMPT = statement(
  'inbox-attempt',
  `INSERT INTO obverse_attempt AS a (message_id, handler, attempts) SELECT $1, $2, 1
   WHERE NOT EXISTS (SELECT FROM obverse_inbox WHERE message_id = $1 AND handler = $2)
   ON CONFLICT (message_id, handler) DO UPDATE SET attempts = a.attempts + 1 RETURNING attempts`,
)
const ATTEMPTS = statement(
  'inbox-attempts',
  'SELECT attempts FROM obverse_attempt WHERE message_id = $1 AND handler = $2',
)
const SEEN = statement('inbox-seen', 'SELECT FROM obverse_inbox WHERE message_id = $1 AND handler = $2')
const PURGE_MARKS = statement(
  'inbox-purge-marks',
  'DELETE FROM obverse_inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM obverse_inbox WHERE at < $1 LIMIT $2))',
)
const PURGE_ANSWERS = statement(
  'inbox-purge-answers',
  `DELETE FROM obverse_answer WHERE ctid = ANY (ARRAY(SELECT ctid FROM obverse_answer WHERE at < $1 ORDER BY at LIMIT $2))`,
)

export function inbox(environment: Environment, settled: (settlement: Settlement) => void): Inbox {
  const { reader, writer, news } = environment
  const fenced = guards(environment, 'settlement-fence')
  return {
    async attempt(messageId, handler) {
      return (await writer.get<{ attempts: number }>(ATTEMPT, [storable(messageId), handler]))?.attempts ?? 1
    },
    async forgive(messageId, handler) {
      await forgetAttempts(await writer.connection(), [{ messageId, handler }])
    },
    async attempts(messageId, handler) {
      return (await reader.get<{ attempts: number }>(ATTEMPTS, [storable(messageId), handler]))?.attempts ?? 0
    },
    async seen(messageId, handler) {
      return (await reader.all(SEEN, [storable(messageId), handler])).length > 0
    },
    async settle(settlements) {
      if (settlements.length === 0) return
      await settle(await writer.connection(), settlements, fenced)
      for (const settlement of settlements) settled(settlement)
      news()
    },
    async purge(before, limit) {
      const marks = await writer.run(PURGE_MARKS, [before, limit])
      return marks + (await writer.run(PURGE_ANSWERS, [before, Math.max(limit - marks, 0)]))
    },
  }
}
