import { hash } from 'node:crypto'
import { ObverseError } from '../errors.ts'
import type { Asked } from './lookup.ts'
import type { Scalar } from './view.ts'

/** The place after which the next page begins. */
export interface Place {
  readonly order: Scalar
  readonly id: string
}

/** Longest cursor that is read. */
const LONGEST = 16_384

/** Makes an opaque cursor that only the same question of the same view takes. */
export function issueCursor(view: string, asked: Asked, { order, id }: Place): string {
  return Buffer.from(JSON.stringify([fingerprint(view, asked, order, id), order, id])).toString('base64url')
}

/** @throws {ObverseError} `CURSOR_INVALID` for a cursor of another question, or one that was not issued at all */
export function readCursor(view: string, asked: Asked, cursor: string): Place {
  if (cursor.length > LONGEST) throw invalid()
  let raw: unknown
  try {
    raw = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw invalid()
  }
  if (!Array.isArray(raw) || raw.length !== 3 || typeof raw[2] !== 'string') throw invalid()
  const place = { order: raw[1] as Scalar, id: raw[2] }
  if (typeof place.order === 'object' && place.order !== null) throw invalid()
  // what we would have issued, to the letter
  if (issueCursor(view, asked, place) !== cursor) throw invalid()
  return place
}

/** Not a secret: it tells a cursor that was cut, changed or taken from another list. */
function fingerprint(view: string, { lookup, equals }: Asked, order: Scalar, id: string): string {
  const { by, order: field, descending } = lookup
  const question = JSON.stringify([view, by, field ?? null, descending, equals, order, id])
  return hash('sha256', question, 'base64url').slice(0, 11)
}

function invalid(): ObverseError {
  return new ObverseError('CURSOR_INVALID', 'The cursor was not issued for this list; begin again without one')
}
