import type { Outbox, OutboxRow } from 'obverse'
import type { Instance } from './instance.ts'
import { bodyOfRow, type Queue } from './queue.ts'
import type { QueueRow } from './rows.ts'

export function outbox(instance: Instance): Outbox {
  const { data } = instance
  const taking = instance.taking(true)
  const ours = (owner: string, ids: readonly number[]): readonly QueueRow[] =>
    ids.flatMap((id) => {
      const row = data.rows.get(id)
      return row?.owner?.id === owner ? [row] : []
    })
  return instance.whileOpen<Outbox>({
    async claim(name, limit) {
      instance.reap()
      const { now } = instance
      const owner = instance.owner(name)
      const claimed: OutboxRow[] = []
      while (claimed.length < limit) {
        const row = oldest(data.queues.values(), now, taking)?.take(owner, now, taking)
        if (!row) break
        const { id, messageId, key, queue } = row
        claimed.push({ id, messageId, channel: queue.channel, key, body: bodyOfRow(row) })
      }
      return claimed
    },
    async done(owner, ids) {
      for (const row of ours(owner, ids)) data.unqueue(row)
    },
    async failed(owner, ids, retryAt) {
      for (const row of ours(owner, ids)) row.queue.giveBack(row, retryAt)
    },
    async waiting() {
      let count = 0
      let least: number | undefined
      for (const queue of data.queues.values()) {
        count += queue.rows.size
        const { value: first } = queue.rows.values().next()
        if (first && (least === undefined || first.at < least)) least = first.at
      }
      return { count, ...(least !== undefined && { oldest: Math.max(0, instance.now - least) }) }
    },
  })
}

/** The queue whose next row is the oldest, so that no channel waits for another one's backlog. */
function oldest(queues: Iterable<Queue>, now: number, taking: Parameters<Queue['oldestReady']>[1]): Queue | undefined {
  let least: { readonly queue: Queue; readonly id: number } | undefined
  for (const queue of queues) {
    const id = queue.oldestReady(now, taking)
    if (id !== undefined && (!least || id < least.id)) least = { queue, id }
  }
  return least?.queue
}
