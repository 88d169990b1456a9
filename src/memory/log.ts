import type { EventEnvelope, KeyRange, Log, LogPage, Registry } from 'obverse'
import { type EventTable, envelopeOfEvent } from './event-table.ts'
import type { Instance } from './instance.ts'
import { compareTexts } from './order.ts'
import type { StoredEvent } from './rows.ts'

/** Events that one page looks at, at most: a reader of few types moves on in steps. */
const SCAN = 10_000

export function log(instance: Instance): Log {
  const { events } = instance.data
  const { registry } = instance.environment
  return instance.whileOpen<Log>({
    async after(after, limit, types) {
      return instance.lacks('log-by-position')
        ? byInsertion(events.committed, after, limit, registry)
        : readAfter(events, registry, after, limit, types)
    },
    between: async (ranges, types) => readBetween(events, registry, ranges, types),
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

export function readAfter(
  { stamped }: EventTable,
  registry: Registry,
  after: number,
  limit: number,
  types: readonly string[] | undefined,
): LogPage {
  const found: EventEnvelope[] = []
  const end = Math.min(stamped.length, after + Math.max(limit, SCAN))
  let scannedTo = after
  while (scannedTo < end && found.length < limit) {
    const event = stamped[scannedTo] as StoredEvent
    scannedTo += 1
    if (!types || types.includes(event.message.type)) found.push(envelopeOfEvent(event, registry))
  }
  return { events: found, scannedTo }
}

export function readBetween(
  { keys }: EventTable,
  registry: Registry,
  ranges: readonly KeyRange[],
  types: readonly string[],
): readonly EventEnvelope[] {
  return ranges
    .flatMap(({ key, after, before }) => (keys.get(key) ?? []).slice(after, Math.max(after, before - 1)))
    .filter(({ message }) => types.includes(message.type))
    .sort((a, b) => compareTexts(a.message.key, b.message.key) || a.seq - b.seq)
    .map((event) => envelopeOfEvent(event, registry))
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
