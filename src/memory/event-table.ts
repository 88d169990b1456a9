import { type EventEnvelope, envelopeOf, type NewEvent, type Registry } from 'obverse'
import { Heap } from './heap.ts'
import type { StoredEvent } from './rows.ts'

/** The log: events by key, in the order of their commits, and in that of their positions. */
export class EventTable {
  readonly keys: Map<string, StoredEvent[]> = new Map()
  readonly committed: StoredEvent[] = []
  /** At index `position - 1`. */
  readonly stamped: StoredEvent[]
  /** True: a commit does not know positions. */
  readonly relay: boolean
  #insertions = 0
  /** Slots to stamp, by insertion. */
  readonly #unstamped: Heap<string> | undefined
  /** Key → events of it that have a position. */
  readonly #stampedOf = new Map<string, number>()
  readonly #byId = new Map<string, StoredEvent>()
  readonly #byCorrelation = new Map<string, StoredEvent[]>()
  #indexed = 0

  constructor(relay: boolean) {
    this.relay = relay
    this.stamped = relay ? [] : this.committed
    this.#unstamped = relay ? new Heap() : undefined
  }

  draw(): number {
    this.#insertions += 1
    return this.#insertions
  }

  version(key: string): number {
    return this.keys.get(key)?.length ?? 0
  }

  append(message: NewEvent, insertion: number): StoredEvent {
    let stream = this.keys.get(message.key)
    if (!stream) {
      stream = []
      this.keys.set(message.key, stream)
    }
    const position = this.#unstamped ? undefined : this.committed.length + 1
    const event = { insertion, seq: stream.length + 1, position, message, rows: undefined, loaded: undefined }
    stream.push(event)
    this.committed.push(event)
    this.#unstamped?.push(insertion, message.key)
    return event
  }

  /** The next position for the oldest event without one: between keys by insertion, within a key by seq. */
  stamp(): StoredEvent | undefined {
    const key = this.#unstamped?.pop()
    if (key === undefined) return undefined
    const seq = (this.#stampedOf.get(key) ?? 0) + 1
    this.#stampedOf.set(key, seq)
    const event = this.keys.get(key)?.[seq - 1] as StoredEvent
    this.stamped.push(event)
    event.position = this.stamped.length
    event.loaded = undefined
    return event
  }

  byId(id: string): StoredEvent | undefined {
    this.#index()
    return this.#byId.get(id)
  }

  correlated(correlationId: string): readonly StoredEvent[] {
    this.#index()
    return this.#byCorrelation.get(correlationId) ?? []
  }

  clear(): void {
    this.committed.length = 0
    this.stamped.length = 0
    this.#unstamped?.clear()
    for (const map of [this.keys, this.#stampedOf, this.#byId, this.#byCorrelation]) map.clear()
    this.#indexed = 0
  }

  /** Traces are asked for seldom: the indexes catch up when they are, and cost a commit nothing. */
  #index(): void {
    for (; this.#indexed < this.committed.length; this.#indexed += 1) {
      const event = this.committed[this.#indexed] as StoredEvent
      const { id, correlationId } = event.message
      this.#byId.set(id, event)
      const related = this.#byCorrelation.get(correlationId)
      if (related) related.push(event)
      else this.#byCorrelation.set(correlationId, [event])
    }
  }
}

/** The event as a reader gets it: an object of its own. */
export function envelopeOfEvent(event: StoredEvent, registry: Registry): EventEnvelope {
  return readEvent(event.message, event.seq, event.position, registry)
}

export function readEvent(
  { id, type, kind, schemaVersion, time, key, data, metadata }: NewEvent,
  seq: number,
  position: number | undefined,
  registry: Registry,
): EventEnvelope {
  const row = { id, type, kind, schemaVersion, time, key, data, metadata, seq }
  return envelopeOf(position === undefined ? row : { ...row, position }, registry) as EventEnvelope
}

/** The event as the write side loads it: parsed once, shared by all loads, and frozen for that reason. */
export function loadedEvent(event: StoredEvent, registry: Registry): EventEnvelope {
  if (event.loaded?.registry === registry) return event.loaded.envelope
  const envelope = freeze(envelopeOfEvent(event, registry))
  event.loaded = { registry, envelope }
  return envelope
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) freeze(inner)
  }
  return value
}
