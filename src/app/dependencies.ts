import { kindOf, ObverseError } from '../errors.ts'
import { checkProjections } from '../read/check-projections.ts'
import type { AnyView, ViewStore } from '../read/view.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { OpenStore, Store } from '../store.ts'
import type { Broker } from '../wire/broker.ts'
import type { AppOptions } from './application.ts'
import type { Assembly } from './assembly.ts'

/** The servers and files of an application: opened, checked, prepared. */
export interface Dependencies {
  readonly store: OpenStore
  readonly broker: Broker
  readonly viewStores: ReadonlyMap<string, ViewStore>
  readonly storeOf: (view: AnyView) => ViewStore
  close(): Promise<void>
}

export interface DependencyOptions {
  readonly assembly: Assembly
  readonly options: Pick<AppOptions<never>, 'broker' | 'views' | 'migrations' | 'migrate'>
  readonly store: Store
  readonly runtime: Runtime
  readonly observe: Observer
}

/** All or nothing: what was opened before a failure is closed. */
export async function openDependencies(given: DependencyOptions): Promise<Dependencies> {
  const { assembly, options, runtime } = given
  const { registry, projections } = assembly
  const store = await given.store.open({ runtime, registry, relayed: options.broker !== undefined })
  let broker = store.broker
  const viewStores = new Map<string, ViewStore>()
  const close = async (): Promise<void> => {
    if (broker !== store.broker) await broker.close()
    for (const views of new Set(viewStores.values())) if (views !== store.views) await views.close?.()
    await store.close()
  }
  const storeOf = (view: AnyView): ViewStore => viewStores.get(view.name) ?? store.views
  try {
    if (options.broker) broker = await options.broker({ runtime })
    for (const { view } of projections) {
      viewStores.set(view.name, (await options.views?.[view.name]?.({ runtime })) ?? store.views)
    }
    checkProjections(projections, {
      storeOf,
      own: store.views,
      all: [store.views, ...viewStores.values()],
      knowsPosition: store.transactions.knowsPosition,
      channels: new Set(assembly.channels.keys()),
    })
    await prepareTables(options, store)
    await declareChannels(given, broker, store)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return { store, broker, viewStores, storeOf, close }
}

async function prepareTables(options: DependencyOptions['options'], { schema }: OpenStore): Promise<void> {
  const steps = options.migrations ?? []
  if (options.migrate !== 'check') {
    await schema.migrate(steps)
    return
  }
  const pending = await schema.pending(steps)
  if (pending.length === 0) return
  throw new ObverseError(
    'SCHEMA_OUTDATED',
    `${pending.length} migrations are pending (${pending.join(', ')}); run \`obverse migrate\` first`,
  )
}

/** A broker elsewhere may be down: commands do not need it, and it is told again by whoever publishes or consumes. */
async function declareChannels(
  { assembly, observe }: DependencyOptions,
  broker: Broker,
  store: OpenStore,
): Promise<void> {
  try {
    await broker.declare([...assembly.channels.values()])
  } catch (error) {
    if (broker === store.broker || kindOf(error) !== 'outage') throw error
    observe({ step: 'failed', part: `broker ${broker.name}`, error })
  }
}
