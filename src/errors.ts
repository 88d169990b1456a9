/**
 * Every error of Obverse: one class, one registry of codes.
 *
 * A code is stable and never reused. `status` is what HTTP answers; `kind` decides what a consumer does:
 * - `refusal`: the caller's fault or a rule of the domain; stored with an idempotency key, never retried
 * - `permanent`: this message can never succeed; dead letter at once
 * - `outage`: something below is unreachable; costs no attempt, is tried again without end
 * - `fault`: a mistake in the application or a limit that was hit
 *
 * docs/reference/errors.md explains each code; a test compares the two.
 */
export const ERRORS = {
  // message
  VALIDATION_FAILED: { status: 400, kind: 'refusal', title: 'The data does not fit the schema of its message.' },
  TOKEN_INVALID: { status: 400, kind: 'refusal', title: 'The consistency token cannot be read.' },
  CURSOR_INVALID: { status: 400, kind: 'refusal', title: 'The cursor was not issued by this query.' },
  MESSAGE_MALFORMED: { status: 400, kind: 'permanent', title: 'The bytes are not a message.' },
  MESSAGE_TYPE_UNKNOWN: { status: 400, kind: 'permanent', title: 'No definition has this message type.' },
  MESSAGE_VERSION_UNKNOWN: { status: 400, kind: 'permanent', title: 'The message is newer than its definition.' },
  MESSAGE_INVALID: { status: 400, kind: 'permanent', title: 'The data of a received message fails its schema.' },
  // start-up
  DEFINITION_DUPLICATE: { status: 500, kind: 'fault', title: 'Two definitions share one message type.' },
  HANDLER_DUPLICATE: { status: 500, kind: 'fault', title: 'Two handlers claim one command, query or name.' },
  HANDLER_MISSING: { status: 500, kind: 'fault', title: 'Nothing handles this message.' },
  CHANNEL_UNKNOWN: { status: 500, kind: 'fault', title: 'The application has no such channel.' },
  CONFIGURATION_INVALID: { status: 500, kind: 'fault', title: 'The application cannot work as it is composed.' },
  VIEW_UNFILLED: { status: 500, kind: 'fault', title: 'No projection fills this view.' },
  LOOKUP_UNDECLARED: { status: 500, kind: 'fault', title: 'The view declares no look-up for this question.' },
  // write
  REFUSED: { status: 409, kind: 'refusal', title: 'The domain refused the command.' },
  NOT_FOUND: { status: 404, kind: 'refusal', title: 'What the message names does not exist.' },
  FORBIDDEN: { status: 403, kind: 'refusal', title: 'The principal may not do this.' },
  UNAUTHENTICATED: { status: 401, kind: 'refusal', title: 'The request names no principal.' },
  UNPROCESSABLE: { status: 422, kind: 'refusal', title: 'The data is well formed but contradicts itself.' },
  CONFLICT: { status: 409, kind: 'refusal', title: 'Somebody else changed the same state; retries ran out.' },
  IDEMPOTENCY_MISMATCH: { status: 422, kind: 'refusal', title: 'The idempotency key was used with another body.' },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, kind: 'refusal', title: 'The first request with this key still runs.' },
  HANDLER_FAILED: { status: 500, kind: 'fault', title: 'A handler threw.' },
  HANDLER_TOO_SLOW: {
    status: 500,
    kind: 'fault',
    title: 'A handler took longer than its time, or than its writing turn.',
  },
  TURN_OVER: { status: 500, kind: 'fault', title: 'ctx.db was used after the transaction had ended.' },
  // wire
  DEPENDENCY_DOWN: { status: 503, kind: 'outage', title: 'Something this work needs is not reachable.' },
  PERMANENT: { status: 500, kind: 'permanent', title: 'A handler says that trying again cannot help.' },
  CRASH_LOOP: { status: 500, kind: 'permanent', title: 'The message ended its process too often.' },
  BROKER_GAVE_UP: { status: 500, kind: 'permanent', title: 'The broker delivered the message too often.' },
  RECEIPT_TIMEOUT: { status: 503, kind: 'fault', title: 'The command was accepted and is not done yet.' },
  PAYLOAD_TOO_LARGE: { status: 413, kind: 'refusal', title: 'The message is larger than the limit.' },
  OVERLOADED: { status: 503, kind: 'outage', title: 'More work waits than the limit allows.' },
  BROKER_UNREACHABLE: { status: 503, kind: 'outage', title: 'The broker does not answer.' },
  BROKER_BLOCKED: { status: 503, kind: 'outage', title: 'The broker takes no messages because of an alarm.' },
  BROKER_CLOSED: { status: 503, kind: 'outage', title: 'The connection to the broker has been closed.' },
  QUEUE_IN_USE: { status: 409, kind: 'refusal', title: 'A consumer has what was to be looked at.' },
  // store
  STORE_UNREACHABLE: { status: 503, kind: 'outage', title: 'The store does not answer.' },
  STORE_BUSY: { status: 503, kind: 'outage', title: 'The store was locked for longer than the limit.' },
  STORE_CORRUPT: { status: 500, kind: 'fault', title: 'The data file is not usable.' },
  STORE_CLOSED: { status: 503, kind: 'outage', title: 'The store has been closed.' },
  SCHEMA_OUTDATED: { status: 500, kind: 'fault', title: 'The tables are older or newer than this version.' },
  MIGRATION_FAILED: { status: 500, kind: 'fault', title: 'A migration threw; nothing of it was kept.' },
  // read
  COMMAND_FAILED: { status: 409, kind: 'refusal', title: 'The command that the token names has failed.' },
  CONSISTENCY_TIMEOUT: { status: 503, kind: 'fault', title: 'The view did not reach the token in time.' },
  KEY_PARKED: { status: 503, kind: 'fault', title: 'A dead letter holds the key that the token names.' },
  ROW_FOREIGN_KEY: { status: 500, kind: 'permanent', title: 'A row of one key was touched by an event of another.' },
  REBUILD_RUNNING: { status: 409, kind: 'refusal', title: 'A rebuild of this projection is already under way.' },
  // operating
  NO_SUCH_MESSAGE: { status: 404, kind: 'refusal', title: 'No message has this id.' },
  USAGE: { status: 400, kind: 'refusal', title: 'The command line cannot be understood.' },
} as const

export type ErrorKind = 'refusal' | 'permanent' | 'outage' | 'fault'
export type ErrorCode = keyof typeof ERRORS
const registry: Readonly<Record<ErrorCode, { status: number; kind: ErrorKind; title: string }>> = ERRORS
/** Messages by path of the field: `{ 'items[0].quantity': ['must be at least 1'] }`. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>

/**
 * The one error class. `message` says what happened, with which value, and what to do.
 *
 * `public` texts may reach a client; those of kind `fault`, `permanent` and `outage` never do (adapters answer with
 * a general text and log the rest).
 */
export class ObverseError extends Error {
  override readonly name = 'ObverseError'
  readonly code: ErrorCode
  readonly fields?: FieldErrors
  /** An application's own word for a refusal, for clients that branch on it. */
  readonly reason?: string

  constructor(code: ErrorCode, message: string, more: { cause?: unknown; fields?: FieldErrors; reason?: string } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    if (more.fields) this.fields = more.fields
    if (more.reason !== undefined) this.reason = more.reason
  }

  get kind(): ErrorKind {
    return registry[this.code].kind
  }

  get status(): number {
    return registry[this.code].status
  }
}

/** True for an {@link ObverseError}, of `code` if one is given. Works across copies of the package. */
export function isObverseError(error: unknown, code?: ErrorCode): error is ObverseError {
  const candidate = error as Partial<ObverseError> | null
  return (
    typeof candidate === 'object' &&
    candidate?.name === 'ObverseError' &&
    typeof candidate.code === 'string' &&
    (code === undefined || candidate.code === code)
  )
}

/** What a consumer should do about `error`; a foreign error is a `fault` of the handler and is retried. */
export function kindOf(error: unknown): ErrorKind {
  return isObverseError(error) ? registry[error.code].kind : 'fault'
}

/** Thrown by a handler to say that trying again cannot help: the message becomes a dead letter at once. */
export function permanent(message: string, cause?: unknown): ObverseError {
  return new ObverseError('PERMANENT', message, { cause })
}

/** Thrown by a handler to say that something it needs is down: costs no attempt, is tried again without end. */
export function outage(message: string, cause?: unknown): ObverseError {
  return new ObverseError('DEPENDENCY_DOWN', message, { cause })
}

/** Thrown by a handler that saw its state change under it: the command is run again a few times, then is a 409. */
export function conflict(message: string): ObverseError {
  return new ObverseError('CONFLICT', message)
}
