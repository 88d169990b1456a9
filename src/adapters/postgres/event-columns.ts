import type { NewEvent } from 'obverse'
import { bigints, integers, texts } from './array.ts'

/**
 * Events as arrays, one for each column, for statements with `unnest`: one text and one plan, however many there are. The
 * rows of the queue name their event by its place, counted from 1.
 */
export class EventColumns {
  readonly ids: string[] = []
  readonly types: string[] = []
  readonly versions: number[] = []
  readonly times: string[] = []
  readonly correlations: string[] = []
  readonly causations: (string | null)[] = []
  readonly data: string[] = []
  readonly metadata: string[] = []
  readonly queueOf: number[] = []
  readonly channels: string[] = []
  readonly dues: (number | null)[] = []

  add(event: NewEvent): void {
    this.ids.push(event.id)
    this.types.push(event.type)
    this.versions.push(event.schemaVersion)
    this.times.push(event.time)
    this.correlations.push(event.correlationId)
    this.causations.push(event.causationId)
    this.data.push(event.data)
    this.metadata.push(event.metadata)
    for (const channel of event.channels) {
      this.queueOf.push(this.ids.length)
      this.channels.push(channel)
      this.dues.push(event.due ?? null)
    }
  }

  /** In the order of {@link unnestEvents} and {@link insertEvents}. */
  values(now: number, queued = true): unknown[] {
    return [
      texts(this.ids),
      texts(this.types),
      integers(this.versions),
      texts(this.times),
      texts(this.correlations),
      texts(this.causations),
      texts(this.data),
      texts(this.metadata),
      integers(queued ? this.queueOf : []),
      texts(queued ? this.channels : []),
      bigints(queued ? this.dues : []),
      now,
    ]
  }
}

export const EVENT_NAMES = 'id, type, version, time, correlation, causation, data, metadata'

/** The arrays from parameter `first` on, with two more columns that say where each event belongs. */
export function unnestEvents(first: number, place: readonly [string, string]): string {
  const types = ['text', 'text', 'int', 'text', 'text', 'text', 'text', 'text']
  const [one, two] = place
  const arrays = types.map((type, index) => `$${first + index}::${type}[]`).join(', ')
  return `unnest(${one}, ${two}, ${arrays}) WITH ORDINALITY`
}

/**
 * CTEs that write what a CTE `numbered` (number, ord, key, seq and the columns of an event) holds: the events, that they have
 * no position yet, and their queue rows. `first`: parameter of the event arrays.
 */
export function insertEvents(first: number): string {
  const queue = first + 8
  return `events AS (
    INSERT INTO obverse_event (number, id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
    SELECT number, id, type, version, key, seq, time, correlation, causation, data, metadata FROM numbered),
  unstamped AS (INSERT INTO obverse_unstamped (number) SELECT number FROM numbered),
  queued AS (
    INSERT INTO obverse_queue (channel, message_id, key, event, at, due)
    SELECT q.channel, n.id, n.key, n.number, $${queue + 3}::bigint, q.due
    FROM unnest($${queue}::int[], $${queue + 1}::text[], $${queue + 2}::bigint[]) AS q(ord, channel, due)
    JOIN numbered n ON n.ord = q.ord ORDER BY n.number)`
}
