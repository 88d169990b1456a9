import { describeLookup } from '../read/lookup.ts'
import type { Assembly } from './assembly.ts'

/** A plain-object picture of an application. */
export interface Description {
  readonly name: string
  readonly store: string
  readonly broker: string
  readonly messages: readonly {
    readonly type: string
    readonly kind: 'command' | 'query' | 'event'
    readonly version: number
    readonly handlers: readonly string[]
    readonly projections: readonly string[]
  }[]
  readonly handlers: readonly {
    readonly name: string
    readonly type: string
    readonly channel: string | null
    readonly kind: 'decision' | 'effect' | 'query'
  }[]
  readonly channels: readonly {
    readonly name: string
    readonly concurrency: number
    readonly prefetch: number
    readonly ordered: boolean
    readonly retries: number
    readonly timeout: number
  }[]
  readonly projections: readonly {
    readonly name: string
    readonly view: string
    readonly store: string
    readonly feed: string
    readonly gathering: boolean
    readonly types: readonly string[]
    /** The view's form, its look-ups in words, and the fields whose words are searched. */
    readonly form: 'rows' | 'list'
    readonly lookups: readonly string[]
    readonly search: readonly string[]
  }[]
}

/** Pictures an assembled application; opens nothing. */
export function describe(
  assembly: Assembly,
  names: { readonly name: string; readonly store: string; readonly broker: string; viewStore(view: string): string },
): Description {
  const { registry, commands, onChannels, queries, projections, channels } = assembly
  const handlers = [...new Set([...commands.values(), ...onChannels])]
  const taking = (type: string) => [
    ...handlers.filter((handler) => handler.definition.type === type).map((handler) => handler.name),
    ...queries.filter((query) => query.definition.type === type).map((query) => query.name),
  ]
  return {
    name: names.name,
    store: names.store,
    broker: names.broker,
    messages: registry
      .all()
      .map(({ type, kind, version }) => ({
        type,
        kind,
        version,
        handlers: taking(type),
        projections: projections.filter((projection) => projection.types.has(type)).map(({ name }) => name),
      }))
      .toSorted((a, b) => order(a.kind, b.kind) || order(a.type, b.type)),
    handlers: [
      ...handlers.map((handler) => ({
        name: handler.name,
        type: handler.definition.type as string,
        channel: (handler.channel as string | undefined) ?? null,
        kind: handler.body.kind,
      })),
      ...queries.map(({ name, definition }) => ({
        name,
        type: definition.type,
        channel: null,
        kind: 'query' as const,
      })),
    ],
    channels: [...channels.values()].map(({ name, concurrency, prefetch, ordered, retry, timeout }) => ({
      name,
      concurrency,
      prefetch,
      ordered,
      retries: retry.retries,
      timeout,
    })),
    projections: projections.map(({ name, view, feed, gathering, types }) => ({
      name,
      view: view.name,
      store: names.viewStore(view.name),
      feed: feed.kind === 'channel' ? `channel ${feed.channel}` : feed.kind,
      gathering,
      types: [...types],
      form: view.list ? 'list' : 'rows',
      lookups: view.lookups.map(describeLookup),
      search: view.search?.fields ?? [],
    })),
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
