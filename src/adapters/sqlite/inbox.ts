import type { Inbox } from 'obverse'
import { type Environment, guards } from './environment.ts'
import { settle } from './queue.ts'

/** Nothing of a message that was handled: whoever records that late has lost it, and nobody would take it away. */
const ATTEMPT = `INSERT INTO obverse_attempt (message_id, handler, attempts) SELECT ?1, ?2, 1
  WHERE NOT EXISTS (SELECT 1 FROM obverse_inbox WHERE message_id = ?1 AND handler = ?2)
  ON CONFLICT DO UPDATE SET attempts = attempts + 1 RETURNING attempts`
const FORGIVE = 'DELETE FROM obverse_attempt WHERE message_id = ? AND handler = ?'
const ATTEMPTS = 'SELECT attempts FROM obverse_attempt WHERE message_id = ? AND handler = ?'
const SEEN = 'SELECT 1 FROM obverse_inbox WHERE message_id = ? AND handler = ?'
/** Marks lie in the order in which they were made, so the oldest are the first. */
const PURGE_MARKS = `DELETE FROM obverse_inbox WHERE at < ?
  AND number IN (SELECT number FROM obverse_inbox ORDER BY number LIMIT ?)`
const PURGE_ANSWERS = `DELETE FROM obverse_answer WHERE (principal, command, key) IN
  (SELECT principal, command, key FROM obverse_answer WHERE at < ? ORDER BY at LIMIT ?)`

export function inbox(
  environment: Environment,
  settled: (settlement: { readonly queueId: number; readonly owner: string }) => void,
): Inbox {
  const { reader, writer } = environment
  const { connection: c } = writer
  const fenced = guards(environment, 'settlement-fence')
  return {
    attempt: (messageId, handler) =>
      writer.submit(() => c.get<{ attempts: number }>(ATTEMPT, messageId, handler)?.attempts ?? 1, { news: false }),
    forgive: (messageId, handler) =>
      writer.submit(
        () => {
          c.run(FORGIVE, messageId, handler)
        },
        { news: false },
      ),
    attempts: (messageId, handler) =>
      reader.read((r) => r.get<{ attempts: number }>(ATTEMPTS, messageId, handler)?.attempts ?? 0),
    seen: (messageId, handler) => reader.read((r) => r.get(SEEN, messageId, handler) !== undefined),
    settle: (settlements) =>
      writer.submit(
        () => {
          for (const settlement of settlements) settle(c, settlement.queueId, settlement.owner, fenced)
        },
        { committed: () => settlements.forEach(settled) },
      ),
    purge: (before, limit) =>
      writer.submit(
        () => {
          const marks = c.run(PURGE_MARKS, before, limit)
          return marks + c.run(PURGE_ANSWERS, before, Math.max(limit - marks, 0))
        },
        { news: false },
      ),
  }
}
