import { createRegistry, type Migration, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'

/** The tables and indexes that a store of ours has, and an application's own, for a twin to write in. */
export async function makeTables(url: string, migrations: readonly Migration[] = []): Promise<void> {
  const store = await postgres(url).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: true })
  await store.schema.migrate(migrations)
  await store.close()
}
