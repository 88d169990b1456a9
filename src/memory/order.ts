import type { Scalar } from 'obverse'

/**
 * Order of the values of a look-up: nothing first, then false, true, numbers, texts. Texts by code point, so that it
 * is the order of the bytes that a database compares.
 */
export function compareScalars(a: Scalar, b: Scalar): number {
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0 || a === b) return rank
  if (typeof a === 'string') return compareTexts(a, b as string)
  return (a as number) < (b as number) ? -1 : 1
}

function rankOf(value: Scalar): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return 1
  return typeof value === 'number' ? 2 : 3
}

export function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    // surrogates stand for code points above all others, though their units are not the highest
    if (left !== right) return lift(left) - lift(right)
  }
  return a.length - b.length
}

function lift(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** What a stored field counts as in a look-up: a scalar, or nothing. */
export function scalarOf(value: unknown): Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
