import type { Subscriber } from './subscriber.ts'

/** Who gets what: from a message type to channels, and from a channel and type to subscribers. */
export interface Router {
  /** Channels of everybody who takes `type`, each once. */
  channels(type: string): readonly string[]
  /** Subscribers of `type` on `channel`, in the order in which they were registered. */
  subscribers(channel: string, type: string): readonly Subscriber[]
  /** Everybody on `channel`. */
  on(channel: string): readonly Subscriber[]
}

const NOBODY: readonly never[] = []

export function createRouter(subscribers: readonly Subscriber[]): Router {
  const channels = new Map<string, string[]>()
  const byType = new Map<string, Map<string, Subscriber[]>>()
  const byChannel = new Map<string, Subscriber[]>()
  for (const subscriber of subscribers) {
    entry(byChannel, subscriber.channel, () => []).push(subscriber)
    const types = entry(byType, subscriber.channel, () => new Map<string, Subscriber[]>())
    for (const type of subscriber.types) {
      const reached = entry(channels, type, () => [])
      if (!reached.includes(subscriber.channel)) reached.push(subscriber.channel)
      entry(types, type, () => []).push(subscriber)
    }
  }
  return {
    channels: (type) => channels.get(type) ?? NOBODY,
    subscribers: (channel, type) => byType.get(channel)?.get(type) ?? NOBODY,
    on: (channel) => byChannel.get(channel) ?? NOBODY,
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
