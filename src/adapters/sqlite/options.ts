import { knownOptions, ObverseError } from 'obverse'

export interface SqliteOptions {
  /**
   * `FULL` (default): a commit that was answered survives a power cut, because the log of the file is flushed with
   * every commit. `NORMAL`: it survives a crash of the process, but a power cut may take the last commits; about
   * three times the rate for single commands, little more for many at once, since a group shares one flush.
   */
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** Milliseconds a write waits for other processes before it fails with `STORE_BUSY`. Default 5,000. */
  readonly lockTimeout?: number
  /**
   * Milliseconds a handler may keep the writing turn: from its first statement on `ctx.db` to its end. Longer:
   * rolled back with `HANDLER_TOO_SLOW`. Default 1,000.
   */
  readonly turnLimit?: number
  /** Milliseconds without a sign of life after which what a process has taken is given to others. Default 5,000. */
  readonly lease?: number
  /** Milliseconds between looks at the file when nothing announced a change. The recovery path. Default 250. */
  readonly poll?: number
}

export type Settings = Required<SqliteOptions>

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the option */
export function settings(options: SqliteOptions): Settings {
  knownOptions('sqlite()', options, ['synchronous', 'lockTimeout', 'turnLimit', 'lease', 'poll'])
  const { synchronous = 'FULL', lockTimeout = 5_000, turnLimit = 1_000, lease = 5_000, poll = 250 } = options
  if (synchronous !== 'FULL' && synchronous !== 'NORMAL') {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `synchronous is ${JSON.stringify(synchronous)}; give 'FULL' or 'NORMAL'`,
    )
  }
  for (const [name, value] of Object.entries({ lockTimeout, turnLimit, lease, poll })) {
    if (!Number.isFinite(value) || value < 1) {
      throw new ObverseError('CONFIGURATION_INVALID', `${name} is ${value}; give milliseconds from 1`)
    }
  }
  return { synchronous, lockTimeout, turnLimit, lease, poll }
}
