import type { Scalar } from 'obverse'
import { storedText } from './text.ts'

/** Below every other number, so that the order is: nothing, false, true, numbers, texts. */
const FALSE = Number.NEGATIVE_INFINITY
const TRUE = -Number.MAX_VALUE
/** The lowest number that can be told from `true`. */
const LOWEST = -1.7976931348623155e308

/** A value as look-ups compare it; MongoDB itself has booleans behind texts. What is no scalar in JSON is `null`. */
export function lookupValue(value: unknown): string | number | null {
  switch (typeof value) {
    case 'string':
      return storedText(value)
    case 'number':
      // -0 becomes 0, as in JSON
      return Number.isFinite(value) ? Math.max(value, LOWEST) + 0 : null
    case 'boolean':
      return value ? TRUE : FALSE
    default:
      return null
  }
}

/** What a stored field counts as in a look-up: a scalar, or nothing. */
export function scalarOf(value: unknown): Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
