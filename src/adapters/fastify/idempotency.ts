import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

export const IDEMPOTENCY_HEADER = 'idempotency-key'

/** 1 to 255 printable characters of ASCII. */
const KEY = /^[\x20-\x7e]{1,255}$/

/** @throws {Problem} 400 for a key that is empty, too long or not printable */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers[IDEMPOTENCY_HEADER]
  if (key === undefined) return undefined
  if (typeof key === 'string' && key.trim() !== '' && KEY.test(key)) return key
  throw new Problem(400, 'IDEMPOTENCY_KEY_INVALID', 'The header Idempotency-Key needs 1 to 255 printable characters.')
}
