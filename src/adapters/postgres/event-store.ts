import type { EventStore, LoadedStream, Registry, Snapshot, Stream, StreamRequest } from 'obverse'
import type { Environment } from './environment.ts'
import { EVENT_COLUMNS, type EventRow, eventOf } from './event-row.ts'
import { Group } from './group.ts'
import { statement } from './statement.ts'

/** Versions and events of many keys in one statement, so that each key is seen as of one moment. */
const LOAD = statement(
  'load',
  `SELECT k.key AS "of", k.seq AS version, ${EVENT_COLUMNS}
   FROM unnest($1::text[], $2::bigint[]) AS asked(key, after) JOIN obverse_key k USING (key)
   LEFT JOIN obverse_event e ON e.key = k.key AND e.seq > asked.after
   LEFT JOIN obverse_position p ON p.number = e.number
   ORDER BY e.key, e.seq`,
)
const SNAPSHOT = statement(
  'snapshot',
  'SELECT seq, state FROM obverse_snapshot WHERE name = $1 AND key = $2 AND version = $3',
)

/** Keys of one statement. */
const MOST = 200

interface Loading {
  readonly key: string
  readonly after: number
  readonly resolve: (rows: readonly LoadRow[]) => void
  readonly reject: (error: unknown) => void
}

interface LoadRow extends EventRow {
  readonly of: string
  readonly version: number
}

/** Loads keys; loads that are asked for at once share a statement. */
export class Streams implements EventStore {
  readonly #environment: Environment
  readonly #group: Group<Loading>

  constructor(environment: Environment) {
    this.#environment = environment
    this.#group = new Group<Loading>({
      limit: MOST,
      flights: 2,
      choice: eachFromOnePlace,
      fly: (members) => this.#load(members),
    })
  }

  async load(key: string, { after = 0, types }: { after?: number; types?: readonly string[] } = {}): Promise<Stream> {
    const rows = await new Promise<readonly LoadRow[]>((resolve, reject) => {
      this.#group.add({ key, after, resolve, reject })
    })
    return streamOf(rows, types, this.#environment.registry)
  }

  /** What a decision is made on: the snapshot, if there is a usable one, and the events after it. */
  async loadFor({ key, types, snapshot: wanted }: StreamRequest): Promise<LoadedStream> {
    const snapshot = wanted && (await this.#snapshot(wanted, key))
    const stream = await this.load(key, { after: snapshot?.seq ?? 0, types })
    // a snapshot of more than the log has belongs to a log that was restored from a backup
    if (snapshot && snapshot.seq > stream.version) return this.load(key, { types })
    return snapshot ? { ...stream, snapshot } : stream
  }

  async #snapshot(
    { name, version }: NonNullable<StreamRequest['snapshot']>,
    key: string,
  ): Promise<Snapshot | undefined> {
    const row = await this.#environment.reader.get<{ seq: number; state: string }>(SNAPSHOT, [name, key, version])
    return row && { seq: row.seq, state: JSON.parse(row.state) as unknown }
  }

  async #load(members: readonly Loading[]): Promise<void> {
    const asked = new Map(members.map(({ key, after }) => [key, after]))
    try {
      const rows = await this.#environment.reader.all<LoadRow>(LOAD, [[...asked.keys()], [...asked.values()]])
      const found = Map.groupBy(rows, ({ of }) => of)
      for (const { key, resolve } of members) resolve(found.get(key) ?? [])
    } catch (error) {
      for (const { reject } of members) reject(error)
    }
  }
}

/** The choice for one statement: it reads a key from one place on. */
function eachFromOnePlace(): (one: Loading) => boolean {
  const places = new Map<string, number>()
  return ({ key, after }) => {
    const place = places.get(key) ?? after
    places.set(key, place)
    return place === after
  }
}

function streamOf(rows: readonly LoadRow[], types: readonly string[] | undefined, registry: Registry): Stream {
  const version = rows[0]?.version ?? 0
  const events = rows
    .filter(({ id, type }) => id !== null && (types === undefined || types.includes(type)))
    .map(({ of: _, version: __, ...row }) => eventOf(row, registry))
  return { version, events }
}
