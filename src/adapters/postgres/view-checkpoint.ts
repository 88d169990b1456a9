import type { Checkpoints } from 'obverse'
import type { CheckpointTables } from './checkpoint.ts'
import { MIGRATION_TABLE } from './schema.ts'
import type { ViewEnvironment } from './view-environment.ts'
import { isOutdated } from './view-outdated.ts'
import { together, underLock } from './view-table.ts'

/** Other names than those of a store, which may be in the same database; no name of a view's table is like them. */
export const OWN_TABLES: CheckpointTables = {
  checkpoint: 'obverse_view_checkpoint',
  generation: 'obverse_view_generation',
}

/** Not changed once released: a change is a second step. */
const STEP = [
  MIGRATION_TABLE,
  `CREATE TABLE IF NOT EXISTS ${OWN_TABLES.checkpoint} (
  name     text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL
) WITH (fillfactor = 50)`,
  `CREATE TABLE IF NOT EXISTS ${OWN_TABLES.generation} (
  view      text COLLATE "C" PRIMARY KEY,
  serving   integer NOT NULL,
  building  integer,
  follow_to bigint,
  previous  integer
)`,
  "INSERT INTO obverse_migration (name) VALUES ('obverse-views/1') ON CONFLICT DO NOTHING",
]

/** Makes the tables when they are found missing: at the first use, and after the database has come back empty. */
export function madeFirst({ sessions }: Pick<ViewEnvironment, 'sessions'>, checkpoints: Checkpoints): Checkpoints {
  const made = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!isOutdated(error)) throw error
      await underLock(sessions, (connection) => together(connection, STEP))
      return work()
    }
  }
  return {
    get: (name) => made(() => checkpoints.get(name)),
    advance: (name, from, to) => made(() => checkpoints.advance(name, from, to)),
    remove: (name) => made(() => checkpoints.remove(name)),
    all: () => made(() => checkpoints.all()),
    generation: (view) => made(() => checkpoints.generation(view)),
    setGeneration: (view, expected, next) => made(() => checkpoints.setGeneration(view, expected, next)),
  }
}
