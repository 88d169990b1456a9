import { join } from 'node:path'
import { temporaryFolder } from '../../processes.ts'
import type { Scenario } from '../scenario.ts'
import type { Stack, Stage, ViewRow } from '../stack.ts'
import { sqliteFile } from './sql.ts'

/** One SQLite file, and another one where the broker is apart. */
export const embedded: Stack = {
  name: 'embedded',
  program: 'embedded.ts',
  versions: `SQLite ${process.versions.sqlite}`,
  open: async (scenario) => stage(scenario),
}

function stage({ broker }: Scenario): Stage {
  const folder = temporaryFolder('faults')
  const file = join(folder.path, 'ledger.db')
  const queues = broker ? join(folder.path, 'queues.db') : undefined
  const store = sqliteFile(file)
  const apart = queues === undefined ? [] : [sqliteFile(queues)]
  return {
    stores: { file, ...(queues !== undefined && { queues }) },
    store,
    queues: [store, ...apart],
    waiting: async () => new Map(),
    view: (name) =>
      store.all<ViewRow>(`SELECT id, data ->> 'count' AS count, data ->> 'total' AS total FROM obverse_view_${name}_1
        WHERE data IS NOT NULL AND data ->> 'name' IS NOT NULL`),
    async checkpoints() {
      const rows = await store.all<{ name: string; position: number }>('SELECT name, position FROM obverse_checkpoint')
      return new Map(rows.map(({ name, position }) => [name, position]))
    },
    struck: {},
    links: {},
    async close(keep) {
      await Promise.all([store, ...apart].map((sql) => sql.close()))
      if (!keep) folder.remove()
      return folder.path
    },
  }
}
