import type { Log, LogPage, Registry } from 'obverse'
import { envelopeOfEvent, type StoredEvent } from './event-table.ts'
import type { Instance } from './instance.ts'
import { compareTexts } from './order.ts'

/** Events that one page looks at, at most: a reader of few types moves on in steps. */
const SCAN = 10_000

export function log(instance: Instance): Log {
  const { events } = instance.data
  const { registry } = instance.environment
  return instance.whileOpen<Log>({
    async after(after, limit, types) {
      if (instance.lacks('log-by-position')) return byInsertion(events.committed, after, limit, registry)
      const found: ReturnType<typeof envelopeOfEvent>[] = []
      const end = Math.min(events.stamped.length, after + Math.max(limit, SCAN))
      let scannedTo = after
      while (scannedTo < end && found.length < limit) {
        const event = events.stamped[scannedTo] as StoredEvent
        scannedTo += 1
        if (!types || types.includes(event.message.type)) found.push(envelopeOfEvent(event, registry))
      }
      return { events: found, scannedTo }
    },
    async between(ranges, types) {
      const found = ranges.flatMap(({ key, after, before }) =>
        (events.keys.get(key) ?? []).slice(after, Math.max(after, before - 1)),
      )
      return found
        .filter(({ message }) => types.includes(message.type))
        .sort((a, b) => compareTexts(a.message.key, b.message.key) || a.seq - b.seq)
        .map((event) => envelopeOfEvent(event, registry))
    },
    positionOf: async (key, seq) => events.keys.get(key)?.[seq - 1]?.position,
    head: async () => events.stamped.length,
    correlated: async (correlationId, limit) =>
      events
        .correlated(correlationId)
        .slice(0, limit)
        .map((event) => envelopeOfEvent(event, registry)),
    async byId(id) {
      const event = events.byId(id)
      return event && envelopeOfEvent(event, registry)
    },
  })
}

/** Canary: what a reader gets that takes the order of insertion for the order of commits. */
function byInsertion(committed: readonly StoredEvent[], after: number, limit: number, registry: Registry): LogPage {
  const page = committed
    .filter(({ insertion }) => insertion > after)
    .sort((a, b) => a.insertion - b.insertion)
    .slice(0, limit)
  return {
    events: page.map((event) => envelopeOfEvent(event, registry)),
    scannedTo: page.at(-1)?.insertion ?? after,
  }
}
