import type { Inbox } from 'obverse'
import { settleRow } from './entry.ts'
import type { Instance } from './instance.ts'

export function inbox(instance: Instance): Inbox {
  const { data } = instance
  return instance.whileOpen<Inbox>({
    async attempt(messageId, handler) {
      if (data.marks.has(`${messageId}\n${handler}`)) return 1
      const count = (data.attempts.get(`${messageId}\n${handler}`) ?? 0) + 1
      data.attempts.set(`${messageId}\n${handler}`, count)
      return count
    },
    async forgive(messageId, handler) {
      data.attempts.delete(`${messageId}\n${handler}`)
    },
    attempts: async (messageId, handler) => data.attempts.get(`${messageId}\n${handler}`) ?? 0,
    seen: async (messageId, handler) => data.marks.has(`${messageId}\n${handler}`),
    async settle(settlements) {
      for (const settlement of settlements) settleRow(instance, settlement)
    },
    async purge(before, limit) {
      const marks = forget(data.marks, (at) => at < before, limit)
      return marks + forget(data.claims, ({ at }) => at < before, limit - marks)
    },
  })
}

/** Maps keep the order of insertion, which is that of time: the old ones are at the front. */
function forget<T>(rows: Map<string, T>, isOld: (row: T) => boolean, limit: number): number {
  let count = 0
  for (const [name, row] of rows) {
    if (count >= limit || !isOld(row)) break
    rows.delete(name)
    count += 1
  }
  return count
}
