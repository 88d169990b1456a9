import type { Broker, ChannelStats, Runtime, Subscription } from 'obverse'
import type { Instance } from './instance.ts'
import { bodyOfRow, type Queue } from './queue.ts'
import { subscribe } from './subscription.ts'

/** The store's own queue: a channel is whatever rows name it, and a handler's transaction settles them. */
export function embeddedBroker(instance: Instance): Broker {
  const { data, runtime } = instance
  const subscriptions = new Set<Subscription>()
  const port = instance.whileOpen<Omit<Broker, 'name' | 'sharesStore' | 'close'>>({
    async declare(channels) {
      for (const { name } of channels) data.queue(name)
    },
    async publish(messages) {
      return messages.map(({ messageId, channel, key, body }) => {
        data.enqueueRaw(channel, body, instance.now, { id: messageId, key })
        return { messageId, kind: 'confirmed' as const }
      })
    },
    async subscribe(channel, options) {
      instance.reap()
      const subscription = subscribe({
        queue: data.queue(channel),
        options,
        taking: instance.taking(false),
        owner() {
          const owner = instance.owner(runtime.id())
          owner.subscribed = true
          return owner
        },
        leave: (owner) => instance.leave(owner),
        remove: (row) => data.unqueue(row),
        settles: true,
        runtime,
      })
      subscriptions.add(subscription)
      return subscription
    },
    stats: async () => [...data.queues.values()].map((queue) => channelStats(queue, runtime)),
    async peek(channel, limit) {
      return peek(data.queue(channel), limit, instance.now)
    },
    async put(channel, body) {
      data.enqueueRaw(channel, body, instance.now)
      data.notify()
    },
    async purge(channel) {
      const waiting = [...data.queue(channel).rows.values()].filter((row) => !row.owner)
      for (const row of waiting) data.unqueue(row)
      return waiting.length
    },
  })
  return {
    name: 'memory',
    sharesStore: true,
    ...port,
    async close() {
      for (const subscription of subscriptions) await subscription.close()
      subscriptions.clear()
    },
  }
}

export function channelStats(queue: Queue, runtime: Pick<Runtime, 'now'>): ChannelStats {
  const { value: first } = queue.waiting(runtime.now()).next()
  return {
    channel: queue.channel,
    messages: queue.size,
    unsettled: queue.unsettled,
    consumers: queue.listeners.size,
    ...(first && { oldest: first.at }),
  }
}

export function peek(queue: Queue, limit: number, now: number): readonly string[] {
  return queue.waiting(now).take(limit).map(bodyOfRow).toArray()
}
