import { shapeOf } from '../read/generation.ts'
import type { ViewStore } from '../read/view.ts'
import type { Finding, Health } from '../runtime/health.ts'
import type { Broker } from '../wire/broker.ts'
import type { Assembly } from './assembly.ts'
import type { Opened } from './opened.ts'

export type DependencyHealth = Health & { readonly name: string }

/** Every dependency, asked at once: the store, a broker apart, each view store apart with the views that it holds. */
export function healthOf({ store, broker, viewStores }: Opened, assembly: Assembly): Promise<DependencyHealth[]> {
  const apart = Map.groupBy(viewStores.keys(), (view) => viewStores.get(view) as ViewStore)
  apart.delete(store.views)
  return Promise.all([
    named('store', store.health()),
    ...(broker === store.broker ? [] : [named(broker.name, ofBroker(broker))]),
    ...Array.from(apart, ([views, names]) => named(`views ${names.join(', ')}`, ofViews(views, names, assembly))),
  ])
}

async function named(name: string, health: Promise<Health>): Promise<DependencyHealth> {
  return { name, ...(await health) }
}

function ofBroker(broker: Broker): Promise<Health> {
  return broker.health?.() ?? looks(() => broker.stats(), 'answers')
}

function ofViews(views: ViewStore, names: readonly string[], { projections }: Assembly): Promise<Health> {
  if (views.health) return views.health()
  const view = projections.map((projection) => projection.view).find(({ name }) => names.includes(name))
  return looks(async () => view && (await views.open(shapeOf(view), 1)).count(), views.name)
}

async function looks(look: () => Promise<unknown>, well: string): Promise<Health> {
  try {
    await look()
    return { ok: true, detail: well }
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}

/** What each dependency finds when it looks at itself: settings, rights, topology, indexes. */
export async function examineServers(opened: Opened, { projections }: Assembly): Promise<readonly Finding[]> {
  const { store, broker, viewStores } = opened
  const of = (views: ViewStore) =>
    projections.flatMap(({ view }) => ((viewStores.get(view.name) ?? store.views) === views ? [shapeOf(view)] : []))
  const found = await Promise.all([
    store.examine?.() ?? [],
    (broker !== store.broker && broker.examine?.()) || [],
    ...Array.from(new Set([store.views, ...viewStores.values()]), (views) => views.examine?.(of(views)) ?? []),
  ])
  return found.flat()
}
