import type { Scalar } from 'obverse'
import { exactText, indexable } from './exact-text.ts'

/** Bytes of one value in an index; see {@link storedId}. */
const BYTES = 400

const number = new DataView(new ArrayBuffer(8))

/**
 * A value as look-ups compare it: a text whose order in `COLLATE "C"` is nothing, false, true, numbers, texts. What is no
 * scalar in JSON is looked up as `null`. Of texts above 400 bytes the first 355 are ordered.
 */
export function columnText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return indexable(`3${exactText(value)}`, BYTES)
    case 'number':
      return Number.isFinite(value) ? `2${orderedHex(value)}` : ''
    case 'boolean':
      return value ? '1' : '0'
    case 'object': {
      if (value === null) return ''
      const json: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
      return typeof json === 'object' ? '' : columnText(json)
    }
    default:
      return ''
  }
}

/** A field of a row as a cursor keeps it. */
export function scalarOf(value: unknown): Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

/** The bits of a number, turned so that they are ordered as it is; -0 is 0. */
function orderedHex(value: number): string {
  number.setFloat64(0, value === 0 ? 0 : value)
  const [high, low] = [number.getUint32(0), number.getUint32(4)]
  return high < 0x8000_0000 ? hex(high + 0x8000_0000) + hex(low) : hex(~high >>> 0) + hex(~low >>> 0)
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
