import { knownOptions, ObverseError } from 'obverse'

export interface PostgresOptions {
  /** Connections of the pool, when an address was given. Default 10. A pool that was given is used as it is. */
  readonly connections?: number
  /** Milliseconds a write waits for a free connection before it fails with `STORE_UNREACHABLE`. Default 5,000. */
  readonly patience?: number
  /**
   * Milliseconds a statement may take before its connection is given up as dead: a server that was frozen, a link that was
   * cut. Whether it took effect is not known then. Default 30,000. Of a pool that was given, its own `query_timeout`.
   */
  readonly answerTimeout?: number
  /**
   * Milliseconds a handler may keep its transaction open, from its first statement on `ctx.db` to its end. Longer: rolled
   * back with `HANDLER_TOO_SLOW`. Default 30,000.
   */
  readonly turnLimit?: number
  /** Milliseconds without a sign of life after which what a process has taken is given to others. Default 5,000. */
  readonly lease?: number
  /** Milliseconds between looks when nothing announced a change. The recovery path. Default 250. */
  readonly poll?: number
  /** Least milliseconds between two hints (NOTIFY) of one process. 0: none, looks alone. Default 5. */
  readonly notifyEvery?: number
  /**
   * Isolation of handlers that use `ctx.db`. `repeatable read` (default): a row that somebody else changed since it was
   * read is a conflict, and the handler runs again, as it would on SQLite. `read committed`: the handler locks what it reads.
   */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /**
   * Milliseconds after which a transaction that keeps dead rows of the queue from vacuum is named by `health`, `doctor`
   * and a warning. Default 60,000.
   */
  readonly oldSnapshot?: number
}

export type Settings = Required<PostgresOptions>

const ISOLATIONS: readonly string[] = ['read committed', 'repeatable read', 'serializable']

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the option */
export function settings(options: PostgresOptions): Settings {
  const defaults: Settings = {
    connections: 10,
    patience: 5_000,
    answerTimeout: 30_000,
    turnLimit: 30_000,
    lease: 5_000,
    poll: 250,
    notifyEvery: 5,
    isolation: 'repeatable read',
    oldSnapshot: 60_000,
  }
  knownOptions('postgres()', options, Object.keys(defaults))
  const all = { ...defaults, ...options }
  const { isolation, notifyEvery, ...numbers } = all
  if (!ISOLATIONS.includes(isolation)) {
    throw invalid(`isolation is ${JSON.stringify(isolation)}; give ${ISOLATIONS.join(', ')}`)
  }
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value) || value < 1) throw invalid(`${name} is ${value}; give a number from 1`)
  }
  if (!Number.isFinite(notifyEvery) || notifyEvery < 0) {
    throw invalid(`notifyEvery is ${notifyEvery}; give milliseconds from 0`)
  }
  if (all.connections < 5)
    throw invalid(`connections is ${all.connections}; give 5 or more: four are kept for the store itself`)
  return all
}

function invalid(text: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', `postgres(): ${text}`)
}
