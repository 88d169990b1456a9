import { hash } from 'node:crypto'
import { ObverseError } from '../errors.ts'
import type { Asked } from './lookup.ts'
import type { Scalar } from './question.ts'
import type { Sought } from './search-question.ts'

/** The place after which the next page begins. */
export interface Place {
  readonly order: Scalar
  readonly id: string
  /** Rows on the pages before, where their number is bounded. */
  readonly given?: number
}

/** Longest cursor that is read. */
const LONGEST = 16_384

/** Makes an opaque cursor that only the same question of the same view takes. */
export function issueCursor(view: string, asked: Asked | Sought, { order, id, given }: Place): string {
  const place = given === undefined ? [order, id] : [order, id, given]
  return Buffer.from(JSON.stringify([fingerprint(view, asked, place), ...place])).toString('base64url')
}

/** @throws {ObverseError} `CURSOR_INVALID` for a cursor of another question, or one that was not issued at all */
export function readCursor(view: string, asked: Asked | Sought, cursor: string): Place {
  if (cursor.length > LONGEST) throw invalid()
  let raw: unknown
  try {
    raw = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw invalid()
  }
  if (!Array.isArray(raw) || raw.length < 3 || raw.length > 4 || typeof raw[2] !== 'string') throw invalid()
  const [, order, id, given] = raw as [unknown, Scalar, string, unknown]
  if (typeof order === 'object' && order !== null) throw invalid()
  if (given !== undefined && !Number.isSafeInteger(given)) throw invalid()
  const place = { order, id, ...(given !== undefined && { given: given as number }) }
  // what we would have issued, to the letter
  if (issueCursor(view, asked, place) !== cursor) throw invalid()
  return place
}

/** Not a secret: it tells a cursor that was cut, changed or taken from another list. */
function fingerprint(view: string, asked: Asked | Sought, place: readonly unknown[]): string {
  const question = JSON.stringify([view, ...parts(asked), ...place])
  return hash('sha256', question, 'base64url').slice(0, 11)
}

function parts(asked: Asked | Sought): readonly unknown[] {
  if ('words' in asked) return [asked.words, asked.prefix, asked.by, asked.equals]
  const { by, order, descending } = asked.lookup
  return [by, order ?? null, descending, asked.equals]
}

function invalid(): ObverseError {
  return new ObverseError('CURSOR_INVALID', 'The cursor was not issued for this list; begin again without one')
}
