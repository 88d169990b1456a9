import { type ErrorCode, type FieldErrors, ObverseError } from '../errors.ts'

/** What a decision returns, or a handler throws, when the domain says no. Nothing of the command is kept. */
export class Refusal extends ObverseError {}

export interface RefusalOptions {
  /** Default `REFUSED`, which HTTP answers with 409. */
  readonly code?: Extract<
    ErrorCode,
    'REFUSED' | 'NOT_FOUND' | 'FORBIDDEN' | 'UNAUTHENTICATED' | 'UNPROCESSABLE' | 'VALIDATION_FAILED'
  >
  readonly fields?: FieldErrors
  /** A stable word for clients that branch on it. */
  readonly reason?: string
}

/**
 * Refuses a command. Return it from `decide`, throw it from `handle`. The text is for the client.
 *
 * @example
 * if (order.status === 'completed') throw refuse('A completed order cannot be changed')
 */
export function refuse(why: string, options: RefusalOptions = {}): Refusal {
  const { code = 'REFUSED', ...more } = options
  return new Refusal(code, why, more)
}
