import { ObverseError } from '../errors.ts'

/** One event of a write, as a token names it. */
export interface TokenPart {
  readonly type: string
  readonly key: string
  readonly seq: number
}

/** The most parts a token may have, and the most characters; more is refused when it comes in. */
export const TOKEN_LIMITS = { parts: 200, length: 16_384 } as const

/**
 * Makes the consistency token of a write: opaque to clients, safe in a header. Of several events with the same type
 * and key only the last counts. A write without events has the empty token, which waits for nothing.
 */
export function issueToken(parts: readonly TokenPart[]): string {
  if (parts.length === 0) return ''
  const last = new Map<string, TokenPart>()
  for (const part of parts) {
    const name = `${part.type}\n${part.key}`
    if ((last.get(name)?.seq ?? 0) < part.seq) last.set(name, part)
  }
  const compact = [...last.values()].map(({ type, key, seq }) => [type, key, seq])
  return Buffer.from(JSON.stringify(compact)).toString('base64url')
}

/** @throws {ObverseError} `TOKEN_INVALID` for anything {@link issueToken} did not make */
export function parseToken(token: string): readonly TokenPart[] {
  if (token === '') return []
  if (token.length > TOKEN_LIMITS.length || !/^[\w-]+$/.test(token)) throw invalid()
  let raw: unknown
  try {
    raw = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    throw invalid()
  }
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > TOKEN_LIMITS.parts) throw invalid()
  return raw.map((part: unknown) => {
    if (!Array.isArray(part) || part.length !== 3) throw invalid()
    const [type, key, seq] = part as unknown[]
    if (typeof type !== 'string' || typeof key !== 'string') throw invalid()
    if (!Number.isSafeInteger(seq) || (seq as number) < 1) throw invalid()
    return { type, key, seq: seq as number }
  })
}

function invalid(): ObverseError {
  return new ObverseError('TOKEN_INVALID', 'The consistency token cannot be read; send it back as it was issued')
}
