// Units as a handler makes them, of events that say nothing but their key.
import { type NewEvent, systemRuntime, type Unit } from 'obverse'

export function eventOf(key: string): NewEvent {
  const id = systemRuntime.id()
  const time = new Date(systemRuntime.now()).toISOString()
  const traced = { metadata: '{}', correlationId: id, causationId: null, channels: [] }
  return { id, type: 'noted', kind: 'event', schemaVersion: 1, time, key, data: '{}', ...traced }
}

export function unitOf(...keys: string[]): Unit {
  return { events: keys.map(eventOf), messages: [] }
}
