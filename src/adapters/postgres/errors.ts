import { type ErrorCode, isObverseError, ObverseError } from 'obverse'

/** What node-postgres throws: of the server with a SQLSTATE, of the socket with a system code, or with neither. */
interface PostgresError extends Error {
  readonly code?: string
  readonly table?: string
  readonly constraint?: string
}

/** By SQLSTATE, or by its class. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const STATES: Readonly<Record<string, ErrorCode>> = {
  '08': 'STORE_UNREACHABLE',
  '25006': 'STORE_UNREACHABLE', // read-only: a standby answers
  '28': 'STORE_UNREACHABLE',
  '3D': 'STORE_UNREACHABLE',
  '40001': 'CONFLICT',
  '40P01': 'CONFLICT',
  '42501': 'CONFIGURATION_INVALID',
  '42P01': 'SCHEMA_OUTDATED',
  '42703': 'SCHEMA_OUTDATED',
  '53': 'STORE_UNREACHABLE',
  '55P03': 'STORE_BUSY',
  '57014': 'STORE_BUSY',
  '57': 'STORE_UNREACHABLE',
  '58': 'STORE_UNREACHABLE',
}

const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** node-postgres gives these no code. */
const SOCKET_TEXTS =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|Cannot use a pool after)/

const REMEDIES: Partial<Record<ErrorCode, string>> = {
  STORE_UNREACHABLE: 'start the server, or mend its address, its database or its credentials',
  STORE_BUSY: 'look for the session that holds the lock, or raise the limit',
  SCHEMA_OUTDATED: 'run `obverse migrate`',
  CONFIGURATION_INVALID: 'grant it to the user that Obverse connects as',
  CONFLICT: 'run it again',
}

/** An error of the server or of the way to it, as ours. What has no code of ours stays as it is: it is a mistake. */
export function storeError(error: unknown, server: string): unknown {
  const code = codeOf(error)
  if (!code) return error
  const { message } = error as Error
  return new ObverseError(code, `${server}: ${message}; ${REMEDIES[code] ?? ''}`, { cause: error })
}

/** The same for a statement of the application: only what concerns the whole transaction is ours to name. */
export function statementError(error: unknown, server: string): unknown {
  const code = codeOf(error)
  return code === 'STORE_UNREACHABLE' || code === 'CONFLICT' ? storeError(error, server) : error
}

/** A lock was not had within `lock_timeout`: nothing was written. */
export function isLockTimeout(error: unknown): boolean {
  return isObverseError(error, 'STORE_BUSY') && (error.cause as PostgresError | undefined)?.code === '55P03'
}

export function isUniqueViolation(error: unknown, table?: string): boolean {
  const { code, table: at } = error as PostgresError
  return code === '23505' && (table === undefined || at === table)
}

function codeOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || isObverseError(error)) return undefined
  const { code, message } = error as PostgresError
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (code === undefined) return SOCKET_TEXTS.test(message) ? 'STORE_UNREACHABLE' : undefined
  if (SOCKET.has(code)) return 'STORE_UNREACHABLE'
  return STATES[code] ?? (code.length === 5 ? STATES[code.slice(0, 2)] : undefined)
}
