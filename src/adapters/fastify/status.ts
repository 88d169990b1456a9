import { ERRORS, isObverseError, type ObverseError } from 'obverse'
import type { Failure } from './envelope.ts'
import { Problem } from './problem.ts'

/** Refusals whose text an application wrote for its clients. The texts of all others are those of the registry. */
const AUTHORED: ReadonlySet<string> = new Set(['REFUSED', 'NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'UNPROCESSABLE'])

/** Where a client is better told than by the registry, which speaks to programmers. */
const WORDS: Readonly<Record<string, string>> = { VALIDATION_FAILED: 'Some fields are not valid.' }

/** What a client learns of our own trouble: that it is ours, and whether trying again may help. */
const OURS: Readonly<Record<number, string>> = {
  500: 'Something went wrong on our side.',
  503: 'Something this request needs is not available at the moment. Please try again.',
}

/** Seconds after which a 503 may be tried again. */
const RETRY_AFTER = 1

/**
 * What a client is told of `error`. No text of a fault, an outage or a foreign error gets through: those answer with a
 * general sentence.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof Problem) return { status: error.status, code: error.code, message: error.message }
  if (isObverseError(error) && Object.hasOwn(ERRORS, error.code)) return told(error)
  return fromFastify(error) ?? ours(500, 'INTERNAL')
}

function told(error: ObverseError): Failure {
  const { status, kind, title } = ERRORS[error.code]
  if (kind !== 'refusal') return ours(status === 503 ? 503 : 500, error.code)
  // the toolkit pages by `cursor`; the field is named so that a client sees which of its parameters was meant
  const fields = error.fields ?? (error.code === 'CURSOR_INVALID' ? { cursor: [title] } : undefined)
  return {
    status,
    code: error.code,
    message: AUTHORED.has(error.code) ? error.message : (WORDS[error.code] ?? title),
    ...(fields && { fields }),
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(error.code === 'IDEMPOTENCY_IN_PROGRESS' && { retryAfter: RETRY_AFTER }),
  }
}

function ours(status: 500 | 503, code: string): Failure {
  return { status, code, message: OURS[status] as string, ...(status === 503 && { retryAfter: RETRY_AFTER }) }
}

const HTTP: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['REQUEST_UNREADABLE', 'The request cannot be read.'],
  408: ['REQUEST_TIMEOUT', 'The request took too long to arrive.'],
  413: ['PAYLOAD_TOO_LARGE', 'The body is too large.'],
  414: ['URL_TOO_LONG', 'The address is too long.'],
  415: ['MEDIA_TYPE_UNSUPPORTED', 'The content type is not supported; send application/json.'],
  431: ['HEADERS_TOO_LARGE', 'The headers are too large.'],
}

/** Failure of a status that needs no more words than HTTP has. */
export function httpFailure(status: number): Failure {
  const [code, message] = HTTP[status] ?? (HTTP[400] as readonly [string, string])
  return { status: HTTP[status] ? status : 400, code, message }
}

/** Errors of Fastify and of reading the body carry a status of their own. */
function fromFastify(error: unknown): Failure | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined
  return httpFailure(status)
}
