import { knownOptions, ObverseError } from 'obverse'

export interface MongodbOptions {
  /** The database. Default: the one that the URL names. */
  readonly database?: string
  /**
   * Milliseconds in which a server must be found, and a connection to it had; then it counts as unreachable, and is looked for again by the next use.
   * Default 3,000; `serverSelectionTimeoutMS`, `connectTimeoutMS` and `waitQueueTimeoutMS` of the URL overrule it.
   */
  readonly timeout?: number
}

const KNOWN = ['database', 'timeout'] satisfies (keyof MongodbOptions)[]

export interface Settings {
  readonly database: string | undefined
  readonly timeout: number
}

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the option */
export function settings(options: MongodbOptions): Settings {
  knownOptions('mongodb()', options, KNOWN)
  const { database, timeout = 3_000 } = options
  if (database !== undefined && (typeof database !== 'string' || database === '')) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `database of mongodb() is ${JSON.stringify(database)}; give its name`,
    )
  }
  if (!Number.isFinite(timeout) || timeout < 1) {
    throw new ObverseError('CONFIGURATION_INVALID', `timeout of mongodb() is ${timeout}; give milliseconds from 1`)
  }
  return { database, timeout }
}
