import { ObverseError } from '../errors.ts'
import type { AnyDefinition, DataOf } from '../message/define.ts'
import { knownOptions } from '../runtime/options.ts'

/** The state and rules behind one key: an initial state and how each event changes it. Immutable: `on` makes a new one. */
export interface Aggregate<N extends string, S, E extends AnyDefinition<'event'> = never> {
  readonly name: N
  readonly initial: () => S
  readonly evolve: ReadonlyMap<string, (state: S, data: never) => S>
  readonly events: readonly AnyDefinition<'event'>[]
  readonly snapshots?: SnapshotPolicy
  /** Adds how `definition` changes the state. `decide` accepts only events that were added. */
  on<D extends AnyDefinition<'event'>>(definition: D, evolve: (state: S, data: DataOf<D>) => S): Aggregate<N, S, E | D>
  readonly _e?: E
}

// biome-ignore lint/suspicious/noExplicitAny: an aggregate of anything, for inference
export type AnyAggregate = Aggregate<any, any, any>

export interface SnapshotPolicy {
  /** A snapshot is kept after at least this many events since the last. */
  readonly every: number
  /** Raise it when the state's shape changes: older snapshots are then ignored. Default 1. */
  readonly version?: number
}

/**
 * Declares an aggregate. Events of its key that it does not name are passed over, but count in its version.
 *
 * @example
 * const order = aggregate('order', (): Order => ({ status: 'none' }))
 *   .on(OrderPlaced, (_, e) => ({ status: 'placed', lines: e.lines }))
 */
export function aggregate<const N extends string, S>(
  name: N,
  initial: () => S,
  options: { readonly snapshots?: SnapshotPolicy } = {},
): Aggregate<N, S> {
  const { snapshots } = options
  knownOptions(`aggregate ${name}`, options, ['snapshots'])
  knownOptions(`snapshots of aggregate ${name}`, snapshots, ['every', 'version'])
  if (snapshots && !(Number.isInteger(snapshots.every) && snapshots.every >= 1)) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `snapshots.every of aggregate ${name} is ${snapshots.every}; give a whole number of events from 1`,
    )
  }
  return make<N, S, never>(name, initial, [], new Map(), snapshots)
}

function make<N extends string, S, E extends AnyDefinition<'event'>>(
  name: N,
  initial: () => S,
  events: readonly AnyDefinition<'event'>[],
  evolve: ReadonlyMap<string, (state: S, data: never) => S>,
  snapshots: SnapshotPolicy | undefined,
): Aggregate<N, S, E> {
  return {
    name,
    initial,
    events,
    evolve,
    ...(snapshots && { snapshots }),
    on<D extends AnyDefinition<'event'>>(definition: D, step: (state: S, data: DataOf<D>) => S) {
      const steps = new Map(evolve).set(definition.type, step as (state: S, data: never) => S)
      return make<N, S, E | D>(name, initial, [...events, definition], steps, snapshots)
    },
  }
}

/** Folds events into a state; those the aggregate does not know change nothing. */
export function fold<S>(
  aggregate: Pick<Aggregate<string, S>, 'evolve'>,
  state: S,
  events: Iterable<{ readonly type: string; readonly data: unknown }>,
): S {
  let next = state
  for (const event of events) {
    const evolve = aggregate.evolve.get(event.type) as ((state: S, data: unknown) => S) | undefined
    if (evolve) next = evolve(next, event.data)
  }
  return next
}
