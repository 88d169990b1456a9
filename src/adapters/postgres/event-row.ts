import { type EventEnvelope, envelopeOf, type Registry } from 'obverse'

/** Columns of an event, in the names of {@link EventRow}; `p` is its place in the log, if it has one. */
export const EVENT_COLUMNS =
  'p.position, e.id, e.type, e.schema_version AS "schemaVersion", e.key, e.seq, e.time, e.data, e.metadata'

export interface EventRow {
  readonly position: number | null
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
export function eventOf({ position, ...row }: EventRow, registry: Registry): EventEnvelope {
  const place = position === null ? {} : { position }
  return envelopeOf({ ...row, ...place, kind: 'event' }, registry) as EventEnvelope
}
