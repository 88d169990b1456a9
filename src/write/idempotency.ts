import { createHash } from 'node:crypto'
import { type ErrorCode, type FieldErrors, ObverseError } from '../errors.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import { Refusal } from './refuse.ts'

/** An idempotency key of a client, scoped by principal and command. */
export interface Claim {
  readonly principal: string
  readonly command: string
  readonly key: string
  /** Hash of the body, to tell a repeat from a reuse. */
  readonly fingerprint: string
}

/** What is repeated to a client that asks again: a result or a refusal, never an error of ours. */
export interface Answer {
  readonly outcome: 'done' | 'refused'
  /** The result, or `{ code, message, fields, reason }`, as JSON text. */
  readonly body: string
  readonly token: string
}

/** A hash of `data` that does not depend on the order of object keys. */
export function fingerprint(data: unknown): string {
  return createHash('sha256').update(canonical(data)).digest('base64url')
}

function canonical(data: unknown): string {
  return JSON.stringify(data ?? null, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  }) as string
}

export function doneAnswer(result: unknown, token: string): Answer {
  return { outcome: 'done', body: JSON.stringify(result ?? null), token }
}

export function refusedAnswer(error: ObverseError): Answer {
  const { code, message, fields, reason } = error
  return { outcome: 'refused', body: JSON.stringify({ code, message, fields, reason }), token: '' }
}

/** The stored result. @throws {Refusal} the stored refusal, as it was */
export function repeat(answer: Answer): unknown {
  const body: unknown = JSON.parse(answer.body)
  if (answer.outcome === 'done') return body ?? undefined
  const { code, message, fields, reason } = body as {
    code: ErrorCode
    message: string
    fields?: FieldErrors
    reason?: string
  }
  throw new Refusal(code, message, { ...(fields && { fields }), ...(reason !== undefined && { reason }) })
}

/**
 * Lets one request per key run at a time in this process. A twin waits for the first; then the store has its answer,
 * or it failed and the twin may try. (Twins in other processes meet at the claim, inside the transaction.)
 */
export function createTwins(runtime: Runtime, waitMs: number) {
  const running = new Map<string, Promise<unknown>>()
  return {
    /** @throws {ObverseError} `IDEMPOTENCY_IN_PROGRESS` when the first is not done within the limit */
    async alone<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
      const name = JSON.stringify([claim.principal, claim.command, claim.key])
      const deadline = runtime.elapsed() + waitMs
      for (let first = running.get(name); first; first = running.get(name)) {
        const left = deadline - runtime.elapsed()
        const over = new AbortController()
        const settled = first.then(
          () => true,
          () => true,
        )
        const inTime = left > 0 && (await Promise.race([settled, sleep(runtime, left, over.signal).then(() => false)]))
        over.abort()
        if (!inTime) {
          throw new ObverseError(
            'IDEMPOTENCY_IN_PROGRESS',
            `The first request with the idempotency key ${JSON.stringify(claim.key)} still runs; ask again later`,
          )
        }
      }
      const mine = work()
      running.set(name, mine)
      try {
        return await mine
      } finally {
        running.delete(name)
      }
    },
  }
}
