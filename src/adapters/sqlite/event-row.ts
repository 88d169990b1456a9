import { type EventEnvelope, envelopeOf, type Registry } from 'obverse'

/** Columns of an event, in the names of {@link EventRow}. */
export const EVENT_COLUMNS =
  'e.position, e.id, e.type, e.schema_version AS schemaVersion, e.key, e.seq, e.time, e.data, e.metadata'

export interface EventRow {
  readonly position: number
  readonly id: string
  readonly type: string
  readonly schemaVersion: number
  readonly key: string
  readonly seq: number
  readonly time: string
  readonly data: string
  readonly metadata: string
}

/** Parsed, and upcast where its definition is newer. */
export function eventOf(row: EventRow, registry: Registry): EventEnvelope {
  return envelopeOf({ ...row, kind: 'event' }, registry) as EventEnvelope
}
