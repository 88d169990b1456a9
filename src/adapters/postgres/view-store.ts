import { type Checkpoints, knownOptions, ObverseError, type Runtime, type ViewStore } from 'obverse'
import type { Pool } from 'pg'
import { checkpoints } from './checkpoint.ts'
import { health } from './health.ts'
import { Line } from './line.ts'
import { type PostgresOptions, settings } from './options.ts'
import { sessions as connect } from './pool.ts'
import { PostgresViews } from './view.ts'
import { madeFirst, OWN_TABLES } from './view-checkpoint.ts'
import type { ViewEnvironment } from './view-environment.ts'

/** Connections that are needed: two are kept, and large pages and batches have one of their own. */
const LEAST = 3

export type PostgresViewOptions = Pick<PostgresOptions, 'connections' | 'patience' | 'answerTimeout'>

/**
 * Views in a PostgreSQL database (13 or newer) that need not be the one of the write model: a table for each generation, a
 * JSON document for each row, a column and an index for each look-up. Takes an address, or a pool of your own, which
 * stays yours to close. Views that are given the same value share their connections.
 *
 * How far the views have come is kept beside their rows, so that a database that comes back empty or older says so. Nothing
 * is connected until rows are read or written: an application starts, and takes commands, while the server is down.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a bad option, or a pool of fewer than three connections
 *
 * @example
 * const reads = postgresViews('postgres://replica.example/shop')
 * const app = createApp({ handlers, projections, store, views: { orders: reads, products: reads } })
 */
export function postgresViews(
  source: string | Pool,
  options: PostgresViewOptions = {},
): (environment: { readonly runtime: Runtime }) => Promise<ViewStore> {
  knownOptions('postgresViews()', options, ['connections', 'patience', 'answerTimeout'])
  const checked = settings(options)
  const size = typeof source === 'string' ? checked.connections : (source.options.max ?? LEAST)
  if (size < LEAST) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `postgresViews(): the pool has ${size} connections; give ${LEAST} or more`,
    )
  }
  const shared = new Map<Runtime, Shared>()

  return async ({ runtime }) => {
    let one = shared.get(runtime)
    if (!one) {
      one = opened({ runtime, sessions: connect(source, checked) }, () => shared.delete(runtime))
      shared.set(runtime, one)
    }
    return one.store()
  }
}

type Lent = Pick<ViewEnvironment, 'runtime' | 'sessions'>

interface Shared {
  /** To be closed by each that was given one. */
  store(): ViewStore
}

function opened({ runtime, sessions }: Lent, onClosed: () => void): Shared {
  const environment: ViewEnvironment = {
    runtime,
    sessions,
    reader: new Line(sessions),
    writer: new Line(sessions),
  }
  const views = new PostgresViews(environment)
  const own: Checkpoints = madeFirst(environment, checkpoints(environment, OWN_TABLES))
  let users = 0
  const leave = async () => {
    users -= 1
    if (users > 0) return
    onClosed()
    await Promise.all([environment.reader.close(), environment.writer.close()])
    await sessions.close()
  }
  return {
    store() {
      users += 1
      let leaving: Promise<void> | undefined
      return {
        name: 'postgres',
        open: (shape, generation) => views.open(shape, generation),
        drop: (shape, generation) => views.drop(shape, generation),
        lacks: () => views.lacks(),
        checkpoints: own,
        health: () => health(environment),
        examine: (shapes) => views.examine(shapes),
        close() {
          leaving ??= leave()
          return leaving
        },
      }
    },
  }
}
