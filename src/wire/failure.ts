import { isObverseError, kindOf } from '../errors.ts'
import type { Runtime } from '../runtime/clock.ts'
import { type RetryPolicy, retryDelay } from '../runtime/retry.ts'
import type { Failure } from './held.ts'

const REASON = 500
const DETAIL = 10_000
const CAUSES = 10
const UNREADABLE = 'what was thrown cannot be read'

/**
 * What an error means for its message.
 * - `outage`: nothing was tried; wait, and deliver again
 * - `dead`: trying again cannot help
 * - `retry`: as often as the policy says
 */
export type Verdict = 'outage' | 'dead' | 'retry'

export function verdictOf(error: unknown, runtime: Runtime): Verdict {
  return read(() => verdict(unwrapped(error), runtime), 'retry')
}

function verdict(meant: unknown, runtime: Runtime): Verdict {
  const kind = kindOf(meant)
  if (kind === 'outage') return runtime.without?.has('outage-is-free') ? 'retry' : 'outage'
  if (kind === 'permanent') return 'dead'
  // these two refuse a caller who waits for the answer; a message in the background has time to try again
  if (isObverseError(meant, 'CONFLICT') || isObverseError(meant, 'IDEMPOTENCY_IN_PROGRESS')) return 'retry'
  return kind === 'refusal' ? 'dead' : 'retry'
}

/** The failure of attempt number `attempts`, with the time of the next one if there is one. */
export function failureOf(
  error: unknown,
  attempts: number,
  { retry, tracked }: { readonly retry: RetryPolicy; readonly tracked: boolean },
  runtime: Runtime,
): Failure {
  const wait = verdictOf(error, runtime) === 'dead' ? undefined : retryDelay(retry, attempts, runtime.random)
  return {
    attempts,
    code: codeOf(error),
    reason: reasonOf(error),
    detail: detailOf(error),
    ...(wait !== undefined && { retryAt: runtime.now() + wait }),
    ...(tracked && { tracked }),
  }
}

/** True for an answer of the domain: it is final and changed nothing, so nothing has to wait for it. */
export function isRefusal(error: unknown): boolean {
  return read(() => kindOf(unwrapped(error)) === 'refusal', false)
}

/** The error's own code, or the name of its class. */
export function codeOf(error: unknown): string {
  return read(() => {
    const meant = unwrapped(error)
    if (typeof meant !== 'object' || meant === null) return 'Error'
    const { code, name } = meant as { code?: unknown; name?: unknown }
    if (typeof code === 'string' && code !== '') return code.slice(0, 100)
    return typeof name === 'string' && name !== '' ? name.slice(0, 100) : 'Error'
  }, 'Error')
}

/** One line of at most 500 characters. */
export function reasonOf(error: unknown): string {
  const text = read(() => messageOf(unwrapped(error)), UNREADABLE)
  return text.replace(/\s+/g, ' ').trim().slice(0, REASON)
}

/** Stack and causes, at most 10,000 characters. */
export function detailOf(error: unknown): string {
  const seen = new Set<unknown>()
  const parts: string[] = []
  for (let cause = error; cause !== undefined && cause !== null && seen.size < CAUSES; ) {
    if (seen.has(cause)) break
    seen.add(cause)
    const here: unknown = cause
    const stack = read(
      () => (here instanceof Error ? String(here.stack ?? messageOf(here)) : messageOf(here)),
      UNREADABLE,
    )
    parts.push(parts.length === 0 ? stack : `caused by: ${stack}`)
    cause = read(() => (here as { cause?: unknown }).cause, undefined)
  }
  return parts.join('\n').slice(0, DETAIL)
}

/** `HANDLER_FAILED` only says that a handler threw; what it threw decides. */
function unwrapped(error: unknown): unknown {
  return isObverseError(error, 'HANDLER_FAILED') && error.cause !== undefined ? error.cause : error
}

/** A handler may throw anything, a proxy or an object whose getters throw too: its message still has to be held. */
function read<R>(look: () => R, otherwise: R): R {
  try {
    return look()
  } catch {
    return otherwise
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return String(error.message || error.name)
  try {
    return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error))
  } catch {
    return Object.prototype.toString.call(error)
  }
}
