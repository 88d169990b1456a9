import { ObverseError } from 'obverse'

/** The driver's error, as far as it is read here. `errcode` is SQLite's extended result code. */
interface DriverError extends Error {
  readonly code?: string
  readonly errcode?: number
}

const BUSY = 5
const LOCKED = 6
const PROTOCOL = 15
const CONSTRAINT = 19
/** Corrupt, and not a database. */
const UNUSABLE: ReadonlySet<number> = new Set([11, 26])
/** Permission, no memory, read-only, I/O error, full, cannot open, authorisation. */
const UNREACHABLE: ReadonlySet<number> = new Set([3, 7, 8, 10, 13, 14, 23])

function primaryCode(error: unknown): number | undefined {
  const { code, errcode } = error as DriverError
  return code === 'ERR_SQLITE_ERROR' && errcode !== undefined ? errcode & 0xff : undefined
}

/** Somebody else holds the lock: waiting helps. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === BUSY || code === LOCKED || code === PROTOCOL
}

/** A rule of the tables was broken: by a statement, or, where the rule is deferred, by the commit. */
export function isConstraint(error: unknown): boolean {
  return primaryCode(error) === CONSTRAINT
}

/** True for "no such table" of one of ours: it was dropped, or never made. */
export function isMissingTable(error: unknown): boolean {
  return primaryCode(error) === 1 && /no such (table|column): (\w+\.)?"?obverse_/.test((error as Error).message)
}

/**
 * What a driver's error means to a caller. Errors of a statement itself (a constraint, bad SQL) and foreign errors
 * come back unchanged: they belong to whoever wrote the statement.
 */
export function storeError(error: unknown, file: string): unknown {
  const code = primaryCode(error)
  if (code === undefined) return error
  const { message } = error as Error
  if (isBusy(error)) return busy(file, error)
  if (UNUSABLE.has(code)) {
    return new ObverseError(
      'STORE_CORRUPT',
      `${file} is not a usable SQLite database (${message}); move it away together with its -wal and -shm files and restore a backup, or give another file`,
      { cause: error },
    )
  }
  if (UNREACHABLE.has(code)) {
    return new ObverseError(
      'STORE_UNREACHABLE',
      `${file} cannot be read or written (${message}); check that its folder exists, is writable and has space`,
      { cause: error },
    )
  }
  if (isMissingTable(error)) {
    return new ObverseError('SCHEMA_OUTDATED', `${file} lacks tables (${message}); migrate it first`, { cause: error })
  }
  return error
}

export function busy(file: string, cause?: unknown): ObverseError {
  return new ObverseError(
    'STORE_BUSY',
    `${file} was locked by another process for longer than lockTimeout; try again, and look for a long transaction in another program`,
    { cause },
  )
}

/** For work that shared its transaction with what ended it. */
export function neighbour(file: string, cause: unknown): ObverseError {
  return new ObverseError(
    'CONFLICT',
    `The commit of ${file} that this work was part of failed because of other work in it; nothing was kept: run it again`,
    { cause },
  )
}

export function closed(file: string): ObverseError {
  return new ObverseError('STORE_CLOSED', `${file} has been closed; open the application again`)
}
