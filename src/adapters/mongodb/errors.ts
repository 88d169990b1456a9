import { ObverseError } from 'obverse'

/** As far as the driver's errors are read here. Their texts are for people; decisions are made by name and code. */
interface DriverError extends Error {
  readonly code?: unknown
  readonly writeErrors?: unknown
}

export const DUPLICATE_KEY = 11_000
export const NAMESPACE_NOT_FOUND = 26
const UNAUTHORIZED = 13

/** Somebody else writes the same: 112 of MongoDB, 16777220 of servers that speak its protocol. */
const CONTENDED: ReadonlySet<number> = new Set([112, 16_777_220])
const CREDENTIALS: ReadonlySet<number> = new Set([UNAUTHORIZED, 18, 8_000])
/** Errors of a single write that say something of the server, not of the row: no primary, no time, no space, no right. */
const OF_THE_SERVER: ReadonlySet<number> = new Set([
  6, 7, 13, 18, 50, 63, 64, 79, 89, 91, 100, 133, 134, 150, 189, 262, 8_000, 9_001, 10_058, 10_107, 11_600, 11_601,
  11_602, 13_388, 13_435, 13_436, 14_031,
])
export function codeOf(error: unknown): number | undefined {
  const { code } = error as DriverError
  return typeof code === 'number' ? code : undefined
}

/** There is an index of that name with other keys or options, or one of these keys with another name. */
export function isIndexConflict(code: number | undefined): boolean {
  return code === 85 || code === 86
}

export function isContended(code: number | undefined): boolean {
  return code !== undefined && CONTENDED.has(code)
}

/** True when the row is to blame, not the server: what is refused now will always be. */
export function isOfRow(code: number | undefined): boolean {
  return code !== undefined && !OF_THE_SERVER.has(code) && !CONTENDED.has(code)
}

/** Was it thrown by the driver? Another copy of it has other classes, so they are told by name. */
function isDriverError(error: unknown): error is DriverError {
  return error instanceof Error && /^(?:Mongo|PoolCleared)/.test(error.name)
}

/** Of the system, as EPIPE: a connection that ends while something is written to it rejects with what its socket said, as it is. */
function isOfSocket(error: unknown): error is DriverError {
  return error instanceof Error && /^E[A-Z]+$/.test(String((error as DriverError).code))
}

/**
 * What a driver's error means to a caller. Whatever a server says to a whole command is an outage: it costs no attempt,
 * and goes on as soon as the server, or who looks after it, has changed. `place` says where, `clean` takes secrets away.
 */
export function storeError(error: unknown, place: string, clean: (text: string) => string): unknown {
  if (!isDriverError(error) && !isOfSocket(error)) return error
  const code = codeOf(error)
  const said = `${clean(error.message)}${code === undefined ? '' : `, code ${code}`}`
  if (isContended(code)) return busy(place, said, error)
  if (code !== undefined && CREDENTIALS.has(code)) {
    return new ObverseError(
      'STORE_UNREACHABLE',
      `MongoDB ${place} refuses (${said}); check the user, the password and that the user has the role readWrite there`,
      { cause: error },
    )
  }
  return new ObverseError(
    'STORE_UNREACHABLE',
    code === undefined
      ? `MongoDB ${place} does not answer (${said}); check that it runs and that its address is right`
      : `MongoDB ${place} cannot do this now (${said})`,
    { cause: error },
  )
}

export function closed(place: string, cause?: unknown): ObverseError {
  return new ObverseError('STORE_CLOSED', `MongoDB ${place} has been closed; open the application again`, { cause })
}

export function busy(place: string, said: string, cause?: unknown): ObverseError {
  return new ObverseError(
    'STORE_BUSY',
    `MongoDB ${place}: others wrote the same rows again and again (${said}); it is tried again`,
    { cause },
  )
}
