import { type Broker, type Published, readEnvelope, type Subscription } from 'obverse'
import { channelStats, peek } from './broker.ts'
import { Queue, type TakeOptions } from './queue.ts'
import { type Owner, owner } from './rows.ts'
import { subscribe } from './subscription.ts'

const TAKING: TakeOptions = { single: false, stamped: false, anyLane: false }
const CLOCK = { now: () => 0 }

/** A broker apart from the store, in this process: for tests of everything that talks to one. */
export interface MemoryBroker extends Broker {
  /** Another connection to the same queues; closing it ends its own subscriptions only. */
  connect(): MemoryBroker
}

/**
 * Queues that are not the store's: what is published is confirmed, to a channel that nobody declared it is returned,
 * and deliveries are settled by `ack` alone. What was not acknowledged when its connection closes comes again.
 *
 * @example
 * const broker = memoryBroker()
 * const app = createApp({ handlers, broker: async () => broker.connect() })
 */
export function memoryBroker(): MemoryBroker {
  return connection({ queues: new Map(), ids: 0 })
}

interface Queues {
  readonly queues: Map<string, Queue>
  ids: number
}

function connection(server: Queues): MemoryBroker {
  const { queues } = server
  const subscriptions = new Set<Subscription>()
  const declared = (channel: string): Queue => {
    const queue = queues.get(channel) ?? new Queue(channel)
    queues.set(channel, queue)
    return queue
  }
  return {
    name: 'memory-broker',
    sharesStore: false,
    connect: () => connection(server),
    async declare(channels) {
      for (const { name } of channels) declared(name)
    },
    async publish(messages) {
      return messages.map((message) => {
        const { messageId, channel } = message
        const queue = queues.get(channel)
        if (!queue) return { messageId, kind: 'returned' as const, reason: `no queue is named ${channel}` }
        add(server, queue, message)
        return { messageId, kind: 'confirmed' as const }
      })
    },
    async subscribe(channel, options) {
      const subscription = subscribe({
        queue: declared(channel),
        options,
        taking: TAKING,
        owner: () => owner(channel, server, Number.POSITIVE_INFINITY),
        leave: giveBack,
        remove: (row) => row.queue.remove(row),
        settles: false,
        runtime: undefined,
      })
      subscriptions.add(subscription)
      return subscription
    },
    stats: async () => [...queues.values()].map((queue) => channelStats(queue, CLOCK)),
    peek: async (channel, limit) => peek(declared(channel), limit, 0),
    async put(channel, body) {
      add(server, declared(channel), { ...identify(body), channel, body })
    },
    async purge(channel) {
      const waiting = [...declared(channel).rows.values()].filter((row) => !row.owner)
      for (const row of waiting) row.queue.remove(row)
      return waiting.length
    },
    async close() {
      for (const subscription of subscriptions) await subscription.close()
      subscriptions.clear()
    },
  }
}

function giveBack(leaving: Owner): void {
  leaving.alive = false
  for (const row of [...leaving.rows]) row.queue.giveBack(row)
}

function add(server: Queues, queue: Queue, { messageId, key, body }: Published): void {
  server.ids += 1
  const content = { message: undefined, event: undefined, raw: body }
  const state = { at: 0, due: 0, retryAt: 0, owner: undefined, taken: false, gone: false }
  queue.add({ id: server.ids, queue, key, messageId, ...content, ...state }, 0)
}

function identify(body: string): { readonly messageId: string; readonly key: string | null } {
  try {
    const { id, key } = readEnvelope(body)
    return { messageId: id, key }
  } catch {
    return { messageId: '', key: null }
  }
}
