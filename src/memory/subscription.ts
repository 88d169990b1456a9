import type { BrokerDelivery, Runtime, SubscribeOptions, Subscription } from 'obverse'
import { bodyOfRow, type Queue, type TakeOptions } from './queue.ts'
import type { Owner, QueueRow } from './rows.ts'

export interface SubscriptionParts {
  readonly queue: Queue
  readonly options: SubscribeOptions
  readonly taking: TakeOptions
  /** A new owner: at first, and after the last one was given up for dead. */
  readonly owner: () => Owner
  readonly leave: (owner: Owner) => void
  readonly remove: (row: QueueRow) => void
  /** Where handlers settle in their own transaction. */
  readonly settles: boolean
  /** For messages that are not due yet. */
  readonly runtime: Runtime | undefined
}

/** Longest wait of a timer; it looks again then. */
const LONGEST = 3_600_000
/** Rows of one key at once, at most: this part of the prefetch. */
const PER_KEY = 1 / 8
const PER_KEY_LEAST = 8

/** Takes rows of one queue up to its prefetch whenever some may be there. */
export function subscribe(parts: SubscriptionParts): Subscription {
  const { queue, options, taking, settles, runtime } = parts
  const begin = () => {
    const begun = parts.owner()
    begun.perKey = Math.max(PER_KEY_LEAST, Math.ceil(options.prefetch * PER_KEY))
    return begun
  }
  let owner = begin()
  let paused = false
  let ended = false
  let scheduled = false
  let cancelTimer: () => void = () => {}

  const look = () => {
    if (scheduled || ended) return
    scheduled = true
    // not before the caller of `subscribe` has its subscription
    queueMicrotask(() => queueMicrotask(pump))
  }
  const pump = () => {
    scheduled = false
    if (paused || ended) return
    if (!owner.alive) owner = begin()
    const now = runtime?.now() ?? 0
    const deliveries: BrokerDelivery[] = []
    while (owner.rows.size < options.prefetch) {
      const row = queue.take(owner, now, taking)
      if (!row) break
      deliveries.push(deliver(row, owner))
    }
    wait(now)
    if (deliveries.length > 0) options.onDeliveries(deliveries)
  }
  const wait = (now: number) => {
    cancelTimer()
    const due = queue.nextDue()
    if (due !== undefined && runtime) cancelTimer = runtime.after(Math.min(Math.max(due - now, 0), LONGEST), look)
  }
  const deliver = (row: QueueRow, to: Owner): BrokerDelivery => ({
    body: bodyOfRow(row),
    redelivered: row.taken,
    ...(settles && { settlement: { queueId: row.id, owner: to.id } }),
    async ack() {
      if (row.owner === to) parts.remove(row)
    },
  })

  queue.listeners.add(look)
  look()
  return {
    pause() {
      paused = true
    },
    resume() {
      paused = false
      look()
    },
    async close() {
      if (ended) return
      ended = true
      cancelTimer()
      queue.listeners.delete(look)
      parts.leave(owner)
    },
  }
}
