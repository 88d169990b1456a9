import {
  type AnyDefinition,
  type AnyProjection,
  createRegistry,
  type EventEnvelope,
  event,
  type NewEvent,
  type OpenStore,
  outgoing,
  type Protection,
  projection,
  type Runtime,
  rootMetadata,
  systemRuntime,
  unchecked,
  type ViewTable,
  view,
} from 'obverse'
import { memory } from 'obverse/memory'
import { createGenerations, type Generations } from '../../src/read/generation.ts'
import type { Parking } from '../../src/read/parking.ts'
import { createPlainFold } from '../../src/read/plain-fold.ts'

export const Put = event('put', unchecked<{ id: string; n: number }>(), { key: () => '' })
export const Add = event('add', unchecked<{ id: string; n: number; make?: boolean }>(), { key: () => '' })
export const Label = event('label', unchecked<{ id: string; text: string }>(), { key: () => '' })
export const Gone = event('gone', unchecked<{ id: string }>(), { key: () => '' })
export const Silent = event('silent', unchecked<{ id: string }>(), { key: () => '' })
export const Foreign = event('foreign', unchecked<{ id: string }>(), { key: () => '' })
export const Broken = event('broken', unchecked<{ id: string }>(), { key: () => '' })
const definitions: readonly AnyDefinition[] = [Put, Add, Label, Gone, Silent, Foreign, Broken]

export interface Thing {
  readonly id: string
  readonly n: number
  readonly text?: string
}

export const things = view('things', {
  row: unchecked<Thing>(),
  key: 'id',
  index: [{ by: [] }, { order: 'n', descending: true }, 'text'],
})

/** Steps of every kind. `Foreign` is handled by nobody; `Broken` throws while `broken.now` holds. */
export const broken: { now: boolean } = { now: true }

export function thingsProjection(options: Parameters<typeof projection>[2] = {}): AnyProjection {
  return projection('thing-list', things, options)
    .on(Put, ({ id, n }, rows) => rows.put({ id, n }))
    .on(Add, ({ id, n, make }, rows) => rows.increment(id, { n }, make ? { id, n: 0 } : undefined))
    .on(Label, ({ id, text }, rows) => rows.patch(id, { text }))
    .on(Gone, ({ id }, rows) => rows.delete(id))
    .on(Silent, () => {})
    .on(Broken, ({ id }, rows) => {
      if (broken.now) throw new Error('this step is broken')
      rows.put({ id, n: -1 })
    })
}

export interface Said {
  readonly key: string
  readonly type: string
  readonly data: Record<string, unknown>
}

export interface World {
  readonly store: OpenStore
  readonly runtime: Runtime
  readonly generations: Generations
  append(...said: readonly Said[]): Promise<void>
  /** The whole log. */
  events(): Promise<readonly EventEnvelope[]>
  /** What a fold of the log gives. */
  expected(projection: AnyProjection, givenUp?: (event: EventEnvelope) => boolean): Promise<Record<string, unknown>>
  /** Live rows of the served generation, or of `table`. */
  rows(projection: AnyProjection, table?: ViewTable): Promise<Record<string, unknown>>
}

export async function createWorld(without: readonly Protection[] = [], more: Partial<Runtime> = {}): Promise<World> {
  const runtime: Runtime = { ...systemRuntime, ...more, ...(without.length > 0 && { without: new Set(without) }) }
  const store = await memory().open({ runtime, registry: createRegistry(definitions), relayed: false })
  const generations = createGenerations({ checkpoints: store.checkpoints, storeOf: () => store.views, runtime, ttl: 0 })
  const events = async () => (await store.log.after(0, 100_000)).events
  return {
    store,
    runtime,
    generations,
    events,
    async append(...said) {
      for (const one of said) {
        await store.transactions.commit({ name: 'test' }, { events: [newEvent(one, runtime)], messages: [] })
      }
    },
    async expected(of, givenUp = () => false) {
      const fold = createPlainFold(of, async (each) => givenUp(each))
      for (const each of await events()) await fold.take(each)
      return Object.fromEntries(fold.rows)
    },
    async rows(of, table) {
      const from = table ?? (await generations.look(of.view)).table
      const found = await from.find({ lookup: { by: [], descending: false }, equals: [], limit: 1_000 })
      return Object.fromEntries(found.map(({ id, data }) => [id, data]))
    },
  }
}

export function newEvent({ key, type, data }: Said, runtime: Runtime = systemRuntime): NewEvent {
  const definition = definitions.find((each) => each.type === type) as AnyDefinition
  const id = runtime.id()
  return outgoing({ type, kind: 'event', data }, definition, {
    id,
    time: new Date(runtime.now()).toISOString(),
    key,
    metadata: rootMetadata(id),
    channels: [],
  }) as NewEvent
}

/** Parks nothing anywhere but here. */
export function createParking(): Parking & {
  readonly dead: Map<string, EventEnvelope>
  readonly waiting: EventEnvelope[]
  readonly skipped: Set<string>
} {
  const dead = new Map<string, EventEnvelope>()
  const waiting: EventEnvelope[] = []
  const skipped = new Set<string>()
  return {
    dead,
    waiting,
    skipped,
    async blocked(keys) {
      const held = new Set([...dead.values(), ...waiting].map(({ key }) => key))
      return new Set(keys.filter((key) => held.has(key)))
    },
    async failed(each) {
      dead.set(each.id, each)
    },
    async behind(events) {
      for (const each of events) if (!waiting.some(({ id }) => id === each.id)) waiting.push(each)
    },
    givenUp: async ({ id }) => skipped.has(id),
  }
}
