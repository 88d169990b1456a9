import { ObverseError } from '../errors.ts'
import { shapeOf } from './generation.ts'
import type { AnyProjection } from './projection.ts'
import type { AnyView, ViewStore } from './view.ts'

export interface ProjectionStores {
  /** Where the rows of a view live. */
  readonly storeOf: (view: AnyView) => ViewStore
  /** The view store that is the transaction's own. */
  readonly own: ViewStore
  /** Every view store of the application, to say which could serve a look-up. */
  readonly all: readonly ViewStore[]
  /** A commit of the own store knows the positions of its events. */
  readonly knowsPosition: boolean
  readonly channels: ReadonlySet<string>
}

/**
 * Looks at all projections before the first event.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` with every problem and what to do about it
 */
export function checkProjections(projections: readonly AnyProjection[], stores: ProjectionStores): void {
  const problems = projectionProblems(projections, stores)
  if (problems.length > 0) throw new ObverseError('CONFIGURATION_INVALID', problems.join('\n'))
}

/** The problems one by one, each a sentence with its remedy; empty: none. */
export function projectionProblems(projections: readonly AnyProjection[], stores: ProjectionStores): readonly string[] {
  return [
    ...shared(projections, ({ name }) => name).map(
      ([name, several]) => `${several.length} projections are called ${name}; give each its own name`,
    ),
    ...shared(projections, ({ view }) => view.name).map(
      ([view, several]) =>
        `View ${view} is filled by ${several.map(({ name }) => name).join(' and ')}; a view has one projection: join ` +
        'their steps, or give each a view of its own',
    ),
    ...projections.flatMap((projection) => [
      ...feedProblems(projection, stores),
      ...lookupProblems(projection, stores),
    ]),
  ]
}

function* feedProblems(projection: AnyProjection, stores: ProjectionStores): Generator<string> {
  const { name, view, feed, gathering, types } = projection
  const { storeOf, own, knowsPosition, channels } = stores
  if (types.size === 0) yield `Projection ${name} handles no event; add a step with \`on\``
  if (feed.kind === 'inline' && storeOf(view) !== own) {
    yield `Projection ${name} is inline, but its view ${view.name} lives in ${storeOf(view).name} and the transaction in ` +
      `${own.name}; use the feed 'log', or keep the view in ${own.name}`
  }
  if (feed.kind === 'inline' && gathering && !knowsPosition) {
    yield `Projection ${name} gathers inline, but a commit of ${own.name} does not know its position; use the feed 'log'`
  }
  if (feed.kind === 'channel' && gathering) {
    yield `Projection ${name} gathers from the channel ${feed.channel}, which keeps no order between keys; use the feed ` +
      "'log', or publish messages with the row's key on another channel"
  }
  if (feed.kind === 'channel' && !channels.has(feed.channel)) {
    const known = [...channels].join(', ') || 'none'
    yield `Projection ${name} is fed by the channel ${feed.channel}, which the application does not have (it has ${known})`
  }
}

function lookupProblems({ view }: AnyProjection, { storeOf, all }: ProjectionStores): readonly string[] {
  const store = storeOf(view)
  const shape = shapeOf(view)
  return store.lacks(shape).map((lack) => {
    const could = all.filter((other) => other !== store && other.lacks(shape).length === 0).map(({ name }) => name)
    const remedy =
      could.length > 0 ? `${could.join(' or ')} could serve it` : 'no store of this application could serve it'
    return `View ${view.name} cannot live in ${store.name}: ${lack}; ${remedy}`
  })
}

function shared(
  projections: readonly AnyProjection[],
  by: (projection: AnyProjection) => string,
): [string, AnyProjection[]][] {
  // the same value given twice is one projection
  const groups = Map.groupBy(new Set(projections), by)
  return [...groups].filter(([, several]) => several.length > 1)
}
