import { kindOf } from '../errors.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Checkpoints, Generation } from './checkpoint.ts'
import type { AnyProjection } from './projection.ts'
import type { AnyView, ViewShape, ViewStore, ViewTable } from './view.ts'

/** Which table of a view answers now. */
export interface Generations {
  /** The served generation; known from a look not longer ago than the time to live (50 ms). */
  serving(view: AnyView): Promise<Served>
  /**
   * For queries, which need the rows and not the store that says which of them are served: while that one is down or does not
   * answer, the generation that was served when it was asked last. (Only a rebuild makes another, and its switch needs that
   * store.)
   */
  reading(view: AnyView): Promise<Served>
  /** Asks once for all of these, so that `reading` knows them from the start. */
  learn(views: readonly AnyView[]): Promise<void>
  /** The same as `serving`, looked up now. */
  look(view: AnyView): Promise<Served>
  /** What the last look saw, without waiting; `undefined` before the first. */
  last(view: AnyView): Served | undefined
  /** The table of any generation; made if it is not there. */
  table(view: AnyView, generation: number): Promise<ViewTable>
  /** Takes a generation away for good. */
  drop(view: AnyView, generation: number): Promise<void>
  /** Rebuilds into another store: generations from `generation` on live there. */
  move(view: AnyView, generation: number, store: ViewStore): void
  /** Something may have changed: the next question looks. */
  wake(): void
}

export interface Served {
  readonly generation: number
  readonly table: ViewTable
  /** The whole pointer, as it was read. */
  readonly pointer: Generation
}

export interface GenerationsOptions {
  readonly checkpoints: Pick<Checkpoints, 'generation'>
  /** Where the rows of a view live. After a rebuild into another store, the newer generations live elsewhere. */
  readonly storeOf: (view: AnyView, generation: number) => ViewStore
  readonly runtime: Runtime
  /** Milliseconds for which a pointer is believed. Default 50. */
  readonly ttl?: number
}

/** Milliseconds after which queries wait no longer to be told which generation is served. */
const LATE = 250

/** Name of the checkpoint of one generation. */
export function checkpointName(projection: AnyProjection, generation: number): string {
  return `${projection.name}@${generation}`
}

export function shapeOf({ name, key, lookups, list, search }: AnyView): ViewShape {
  return { name, key, lookups, ...(list && { list: { id: list.id } }), ...(search && { search }) }
}

export function createGenerations({ checkpoints, storeOf, runtime, ttl = 50 }: GenerationsOptions): Generations {
  const seen = new Map<string, { served: Served; at: number }>()
  const looking = new Map<string, { readonly served: Promise<Served>; readonly since: number }>()
  const pointers = new Map<string, Generation>()
  const tables = new Map<string, Promise<ViewTable>>()
  const moved: { view: string; from: number; store: ViewStore }[] = []

  const home = (view: AnyView, generation: number) =>
    moved.findLast((move) => move.view === view.name && generation >= move.from)?.store ?? storeOf(view, generation)

  const table = (view: AnyView, generation: number): Promise<ViewTable> => {
    const name = `${view.name}@${generation}`
    let opened = tables.get(name)
    if (!opened) {
      opened = home(view, generation).open(shapeOf(view), generation)
      // one failure must not be remembered for ever
      opened.catch(() => tables.delete(name))
      tables.set(name, opened)
    }
    return opened
  }
  const look = async (view: AnyView): Promise<Served> => {
    const at = runtime.elapsed()
    const pointer = await checkpoints.generation(view.name)
    pointers.set(view.name, pointer)
    const served = { generation: pointer.serving, table: await table(view, pointer.serving), pointer }
    const newer = seen.get(view.name)
    if (!newer || newer.at <= at) seen.set(view.name, { served, at })
    return served
  }
  const fresh = (view: AnyView): Served | undefined => {
    const known = seen.get(view.name)
    return known && runtime.elapsed() - known.at < ttl ? known.served : undefined
  }
  /** Who asks while a look is under way waits for that one. */
  const lookOnce = (view: AnyView) => {
    let under = looking.get(view.name)
    if (!under) {
      under = { served: look(view).finally(() => looking.delete(view.name)), since: runtime.elapsed() }
      looking.set(view.name, under)
    }
    return under
  }
  return {
    look,
    table,
    last: (view) => seen.get(view.name)?.served,
    serving: async (view) => fresh(view) ?? lookOnce(view).served,
    async reading(view) {
      const known = fresh(view)
      if (known) return known
      const { served, since } = lookOnce(view)
      const pointer = pointers.get(view.name)
      if (!pointer) return served
      const told = await inTime(served, since + LATE - runtime.elapsed(), runtime)
      return told ?? { generation: pointer.serving, table: await table(view, pointer.serving), pointer }
    },
    async learn(views) {
      const learned = await Promise.all(views.map(({ name }) => checkpoints.generation(name)))
      for (const [at, { name }] of views.entries()) pointers.set(name, learned[at] as Generation)
    },
    async drop(view, generation) {
      tables.delete(`${view.name}@${generation}`)
      await home(view, generation).drop(shapeOf(view), generation)
    },
    move(view, from, store) {
      moved.push({ view: view.name, from, store })
      for (const name of tables.keys()) {
        const at = name.lastIndexOf('@')
        if (name.slice(0, at) === view.name && Number(name.slice(at + 1)) >= from) tables.delete(name)
      }
    },
    wake() {
      for (const known of seen.values()) known.at = Number.NEGATIVE_INFINITY
    },
  }
}

/** Undefined: an outage, or not within `ms`. */
function inTime(served: Promise<Served>, ms: number, runtime: Runtime): Promise<Served | undefined> {
  if (ms <= 0) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const cancel = runtime.after(ms, () => resolve(undefined))
    served
      .finally(cancel)
      .then(resolve, (error: unknown) => (kindOf(error) === 'outage' ? resolve(undefined) : reject(error)))
  })
}
