import type { EventEnvelope, EventStore, Registry, Stream } from 'obverse'
import type { Data } from './data.ts'
import { loadedEvent } from './event-table.ts'
import type { Instance } from './instance.ts'

export function eventStore(instance: Instance): EventStore {
  return instance.whileOpen<EventStore>({
    load: async (key, { after = 0, types } = {}) =>
      loadEvents(instance.data, instance.environment.registry, key, after, types),
  })
}

const NOTHING: readonly EventEnvelope[] = []

export function loadEvents(
  data: Data,
  registry: Registry,
  key: string,
  after: number,
  types: readonly string[] | undefined,
): Stream {
  const stored = data.events.keys.get(key)
  if (!stored) return { version: 0, events: NOTHING }
  const events: EventEnvelope[] = []
  for (let at = after; at < stored.length; at += 1) {
    const event = stored[at]
    if (event && (!types || types.includes(event.message.type))) events.push(loadedEvent(event, registry))
  }
  return { version: stored.length, events }
}
