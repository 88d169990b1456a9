import { createHash } from 'node:crypto'

/** What no text of PostgreSQL can hold, and the two signs that stand for it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const APART = /[\0\u0001\ue000\p{Cs}]/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const TOGETHER = /\u0001([\u0001\u0002])|\ue000(?:\u0002|\u0001(.))/gu
/** Of halves of surrogate pairs, in their order, from here on. */
const HALVES = 0x100
const FIRST_HALF = 0xd800

/** Ends what is left of a long text; after it comes the hash of the whole. In no text that is whole. */
const CUT = '\u0001\u0003'
const HASH = 43

/**
 * A text as a column holds it so that the very same comes back: with NUL and halves of surrogate pairs. In `COLLATE "C"` its
 * order is that of the code points. Nearly all texts stay as they are.
 */
export function exactText(text: string): string {
  if (text.search(APART) < 0) return text
  return text.replace(APART, (sign) => {
    if (sign === '\0') return '\u0001\u0001'
    if (sign === '\u0001') return '\u0001\u0002'
    if (sign === '\ue000') return '\ue000\u0002'
    return `\ue000\u0001${String.fromCharCode(HALVES + sign.charCodeAt(0) - FIRST_HALF)}`
  })
}

export function textOf(exact: string): string {
  if (!exact.includes('\u0001') && !exact.includes('\ue000')) return exact
  return exact.replace(TOGETHER, (_, low: string | undefined, half: string | undefined) => {
    if (low) return low === '\u0001' ? '\0' : '\u0001'
    return half ? String.fromCharCode(half.charCodeAt(0) - HALVES + FIRST_HALF) : '\ue000'
  })
}

/**
 * An exact text that fits into an index: of a longer one its beginning and its hash. Equal only to itself; the order among
 * those that begin alike in all these bytes is that of their hashes.
 */
export function indexable(exact: string, bytes: number): string {
  if (exact.length * 3 <= bytes || Buffer.byteLength(exact) <= bytes) return exact
  const whole = Buffer.from(exact)
  let end = bytes - CUT.length - HASH
  while (((whole[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${whole.subarray(0, end).toString()}${CUT}${createHash('sha256').update(whole).digest('base64url')}`
}

export function mayBeCut(text: string): boolean {
  return text.includes(CUT)
}
