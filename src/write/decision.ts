import { isObverseError, ObverseError } from '../errors.ts'
import type { Message } from '../message/define.ts'
import { type AnyAggregate, fold } from './aggregate.ts'
import type { NewEvent } from './event-store.ts'
import type { DecisionBody } from './handle.ts'
import type { Job } from './job.ts'
import type { NewSnapshot } from './snapshot.ts'
import type { Entry, LoadedStream, Outcome, StreamRequest, Transactions, Unit } from './transaction.ts'
import { type Surroundings, UnitBuilder } from './unit-builder.ts'

/** Loads the aggregate, decides, appends with the loaded version expected: one pure step for the store to place. */
export async function runDecision(
  body: DecisionBody,
  job: Job,
  entry: Entry,
  transactions: Transactions,
  around: Surroundings,
): Promise<Outcome> {
  const { aggregate } = body
  const key = (body.id as (data: unknown) => string)(job.data)
  const decide = body.decide as (data: unknown, state: unknown) => Message | readonly Message[] | Error
  let unit: Unit | undefined
  const outcome = await transactions.decide(entry, streamRequest(aggregate, key), (loaded): Unit => {
    const state = stateOf(aggregate, loaded)
    const decision = decide(job.data, state)
    if (isObverseError(decision)) throw decision
    const builder = new UnitBuilder(around, job)
    if (decision === undefined || decision === null || decision instanceof Promise) {
      throw new ObverseError(
        'HANDLER_FAILED',
        `The decision of ${job.type} returned ${decision instanceof Promise ? 'a promise' : decision}; a decision is synchronous and returns events, [] or refuse(…)`,
      )
    }
    const events = Array.isArray(decision) ? decision : [decision]
    for (const event of events) builder.publish(event as Message, key)
    const snapshot = dueSnapshot(aggregate, key, loaded, state, builder.events)
    unit = builder.build({
      expected: new Map([[key, loaded.version]]),
      ...(snapshot && { snapshot }),
      ...job.more(undefined),
    })
    return unit
  })
  if (unit && outcome.kind === 'committed') around.committed(unit)
  return outcome
}

const requests = new WeakMap<AnyAggregate, Omit<StreamRequest, 'key'>>()

function streamRequest(aggregate: AnyAggregate, key: string): StreamRequest {
  let known = requests.get(aggregate)
  if (!known) {
    const types = [...aggregate.evolve.keys()]
    const { snapshots } = aggregate
    known = { types, ...(snapshots && { snapshot: { name: aggregate.name, version: snapshots.version ?? 1 } }) }
    requests.set(aggregate, known)
  }
  return { key, ...known }
}

/** The state after the loaded events, from the snapshot on if there is one. */
export function stateOf(aggregate: AnyAggregate, loaded: LoadedStream): unknown {
  return fold(aggregate, loaded.snapshot ? loaded.snapshot.state : aggregate.initial(), loaded.events)
}

function dueSnapshot(
  aggregate: AnyAggregate,
  key: string,
  loaded: LoadedStream,
  state: unknown,
  events: readonly NewEvent[],
): NewSnapshot | undefined {
  const { snapshots } = aggregate
  if (!snapshots) return undefined
  // an event may name another key than that of the aggregate: it is no part of this stream
  const own = events.filter((event) => event.key === key)
  if (own.length === 0) return undefined
  const version = loaded.version + own.length
  if (version - (loaded.snapshot?.seq ?? 0) < snapshots.every) return undefined
  return {
    name: aggregate.name,
    key,
    version: snapshots.version ?? 1,
    seq: version,
    // From the texts that are stored: a schema may have filled in what the decision left out.
    state: fold(
      aggregate,
      state,
      own.map((event) => ({ type: event.type, data: JSON.parse(event.data) as unknown })),
    ),
  }
}
