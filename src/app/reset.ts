import type { AnyProjection } from '../read/projection.ts'
import type { Migration } from '../store.ts'
import type { Assembly } from './assembly.ts'
import type { Opened } from './opened.ts'

/**
 * Empties everything and makes the tables again. Queues first, so that nothing comes out of them any more; the log last,
 * because a view that is emptied before it would only be filled again.
 */
export async function resetAll(
  opened: Opened,
  { channels, projections }: Assembly,
  migrations: readonly Migration[],
): Promise<void> {
  const { store, broker } = opened
  if (broker !== store.broker) await Promise.all([...channels.keys()].map((name) => broker.purge(name)))
  for (const projection of projections) await emptyApart(opened, projection)
  await store.schema.reset()
  await store.schema.migrate(migrations)
}

/** What a store of its own has of a view. A row that stayed would refuse the events of a new beginning as seen before. */
async function emptyApart({ store, viewStores, generations }: Opened, { name, view }: AnyProjection): Promise<void> {
  const home = viewStores.get(view.name) ?? store.views
  if (home === store.views) return
  const { serving, building = 0, previous = 0 } = await store.checkpoints.generation(view.name)
  for (let generation = 1; generation <= Math.max(serving, building, previous); generation += 1) {
    await generations.drop(view, generation)
  }
  const { checkpoints: beside } = home
  if (!beside || beside === store.checkpoints) return
  const mine = (await beside.all()).filter((checkpoint) => checkpoint.name.startsWith(`${name}@`))
  await Promise.all(mine.map((checkpoint) => beside.remove(checkpoint.name)))
}
