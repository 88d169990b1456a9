import assert from 'node:assert/strict'
import type { Broker, Checkpoints, Protection, Store, ViewStore } from 'obverse'
import { type BrokerSubject, brokerCases } from './broker.ts'
import { CANARIES } from './canaries.ts'
import { bind, type Capability, type Case, type ContractTest, type Exceptions } from './case.ts'
import { type CheckpointSubject, checkpointCases } from './checkpoint.ts'
import { deadLetterCases } from './dead-letter.ts'
import { entryCases } from './entry.ts'
import { eventStoreCases } from './event-store.ts'
import { heldCases } from './held.ts'
import { inboxCases } from './inbox.ts'
import { inlineCases } from './inline.ts'
import { logCases } from './log.ts'
import { outboxCases } from './outbox.ts'
import { positionsCases } from './positions.ts'
import { queueCases } from './queue.ts'
import { searchCases } from './search.ts'
import { statusCases } from './status.ts'
import { StoreSubject } from './store-subject.ts'
import { tablesCases } from './tables.ts'
import { transactionCases } from './transaction.ts'
import { type ViewSubject, viewCases } from './view.ts'

export type { BrokerSubject, Capability, Case, CheckpointSubject, ContractTest, Exceptions, StoreSubject, ViewSubject }
export { brokerCases, CANARIES, searchCases, viewCases }

/** Cases of the ports that only a whole store has. */
export const storeCases: readonly Case<StoreSubject>[] = [
  ...under('event-store', eventStoreCases),
  ...under('transaction', transactionCases),
  ...under('entry', entryCases),
  ...under('inline', inlineCases),
  ...under('tables', tablesCases),
  ...under('log', logCases),
  ...under('positions', positionsCases),
  ...under('queue', queueCases),
  ...under('outbox', outboxCases),
  ...under('inbox', inboxCases),
  ...under('held', heldCases),
  ...under('dead-letter', deadLetterCases),
  ...under('status', statusCases),
  ...under('checkpoint', checkpointCases),
]

export interface StoreContractOptions extends Exceptions {
  /** A store over new, empty data, for one case; it may be opened several times, as by several processes. */
  readonly store: () => Store | Promise<Store>
  /** For canaries: protections that are taken away. */
  readonly without?: ReadonlySet<Protection>
}

/**
 * Every contract of a store: its own ports, and its queue and its views by the contracts of brokers and view stores.
 *
 * @example
 * for (const { name, skip, run } of storeContracts({ store: () => memory(), capabilities: ['returns'] })) {
 *   test.skipIf(skip)(name, run)
 * }
 */
export function storeContracts(options: StoreContractOptions): readonly ContractTest[] {
  const all: readonly Case<StoreSubject>[] = [
    ...storeCases,
    ...under('broker', brokerCases).map((one) =>
      over(one, (subject: StoreSubject) => ({ open: async () => (await subject.open()).broker })),
    ),
    ...VIEWS.map((one) => over(one, (subject: StoreSubject) => ({ open: async () => (await subject.open()).views }))),
  ]
  return bind(all, options, async (one) => {
    const subject = new StoreSubject(await options.store(), options.without)
    try {
      await one.run(subject)
    } finally {
      await subject.end()
    }
  })
}

/** Everything that is asked of views. */
const VIEWS: readonly Case<ViewSubject>[] = [...under('view', viewCases), ...under('search', searchCases)]

/** Cases are named after their port: `log: …`. */
function under<S>(port: string, cases: readonly Case<S>[]): readonly Case<S>[] {
  return cases.map((one) => ({ ...one, name: `${port}: ${one.name}` }))
}

function over<A, B>(one: Case<B>, make: (subject: A) => B): Case<A> {
  return { ...one, run: (subject) => one.run(make(subject)) }
}

export interface BrokerContractOptions extends Exceptions {
  /** A new broker without queues for one case; it gives connections to it. */
  readonly broker: () => Promise<() => Promise<Broker>>
}

/** The contract of a broker that is not a store's own. */
export function brokerContracts(options: BrokerContractOptions): readonly ContractTest[] {
  return bind(under('broker', brokerCases), options, async (one) => {
    const connect = await options.broker()
    const opened: Broker[] = []
    const open = async () => {
      const broker = await connect()
      opened.push(broker)
      return broker
    }
    try {
      await one.run({ open })
    } finally {
      for (const broker of opened) await broker.close()
    }
  })
}

export interface ViewContractOptions extends Exceptions {
  /** A view store without views, for one case; for canaries without these protections. */
  readonly views: (without?: ReadonlySet<Protection>) => Promise<ViewStore>
}

/** The contract of a view store that is not part of a store. */
export function viewContracts(options: ViewContractOptions): readonly ContractTest[] {
  return bind(VIEWS, options, (one) => runOnViews(one, options))
}

/** For each protection of a view store: its case must fail once the protection is off. */
export function viewCanaries(options: ViewContractOptions): readonly ContractTest[] {
  return portCanaries(VIEWS, options, (one, without) => runOnViews(one, options, without))
}

async function runOnViews(one: Case<ViewSubject>, { views }: ViewContractOptions, without?: ReadonlySet<Protection>) {
  const opened: ViewStore[] = []
  const open = async () => {
    const store = await views(without)
    opened.push(store)
    return store
  }
  try {
    await one.run({ open })
  } finally {
    for (const store of opened) await store.close?.()
  }
}

export interface CheckpointContractOptions extends Exceptions {
  /** New, empty checkpoints for one case, opened as often as it likes; for canaries without these protections. */
  readonly checkpoints: (without?: ReadonlySet<Protection>) => Promise<() => Promise<Checkpoints>>
}

/** The contract of checkpoints that are kept in a view store. */
export function checkpointContracts(options: CheckpointContractOptions): readonly ContractTest[] {
  return bind(CHECKPOINTS, options, (one) => runOnCheckpoints(one, options))
}

/** For each protection of checkpoints: its case must fail once the protection is off. */
export function checkpointCanaries(options: CheckpointContractOptions): readonly ContractTest[] {
  return portCanaries(CHECKPOINTS, options, (one, without) => runOnCheckpoints(one, options, without))
}

async function runOnCheckpoints(
  one: Case<CheckpointSubject>,
  { checkpoints }: CheckpointContractOptions,
  without?: ReadonlySet<Protection>,
) {
  const connect = await checkpoints(without)
  await one.run({ open: async () => ({ checkpoints: await connect() }) })
}

const CHECKPOINTS: readonly Case<CheckpointSubject>[] = under('checkpoint', checkpointCases)

/** The canaries whose case is one of `cases`. */
function portCanaries<S>(
  cases: readonly Case<S>[],
  { capabilities, except = {} }: Exceptions,
  run: (one: Case<S>, without: ReadonlySet<Protection>) => Promise<void>,
): readonly ContractTest[] {
  const broken = CANARIES.flatMap(([protection, name]) => {
    const one = cases.find((each) => each.name === name)
    return one ? [{ ...one, name: `without ${protection}: ${name}`, protection, whole: name }] : []
  })
  const excepted = broken.filter(({ whole }) => whole in except).map(({ name, whole }) => [name, except[whole]])
  return bind(broken, { capabilities, except: Object.fromEntries(excepted) }, (one) => {
    const { protection } = one as (typeof broken)[number]
    return assertFails(protection, () => run(one, new Set([protection])))
  })
}

async function assertFails(protection: Protection, run: () => Promise<void>): Promise<void> {
  await assert.rejects(run, assert.AssertionError, `the case holds without ${protection}: it proves nothing`)
}

export interface CanaryOptions extends StoreContractOptions {
  /** Protection → why the case cannot fail here without it. */
  readonly exceptCanary?: Readonly<Partial<Record<Protection, string>>>
}

/** For each protection of a store: its case must fail once the protection is off. */
export function canaries(options: CanaryOptions): readonly ContractTest[] {
  return CANARIES.map(([protection, name]) => {
    const skip = options.exceptCanary?.[protection] ?? options.except?.[name]
    return {
      name: `without ${protection}: ${name}`,
      needs: [],
      ...(skip !== undefined && { skip }),
      async run() {
        const broken = storeContracts({ ...options, without: new Set([protection]) })
        const one = broken.find((test) => test.name === name)
        assert.ok(one, `no case is named ${JSON.stringify(name)}`)
        await assertFails(protection, one.run)
      },
    }
  })
}
