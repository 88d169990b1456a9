/** Everything below it stands for itself. */
const MARK = '\ud7ff'
const HIGH = /[\u{d7ff}-\u{10ffff}]/gu
/** The same for a look, which is nearly always in vain. */
const ANY_HIGH = /[\ud7ff-\uffff]/
const ESCAPED = /\ud7ff(.)(.)/gsu
const BASE = 0x100

/**
 * A text as ids and look-up values are kept: so that its order is that of code points, whether a server compares bytes
 * or UTF-16 units, and so that no two texts become one. Signs from U+D7FF on (emoji, full-width forms, halves of
 * surrogate pairs) become U+D7FF and two signs of their number; all others are left as they are.
 */
export function storedText(text: string): string {
  if (!ANY_HIGH.test(text)) return text
  return text.replace(HIGH, (sign) => {
    const point = sign.codePointAt(0) as number
    return MARK + String.fromCharCode(BASE + (point >> 11), BASE + (point & 0x7ff))
  })
}

export function textOf(stored: string): string {
  if (!stored.includes(MARK)) return stored
  return stored.replace(ESCAPED, (_, high: string, low: string) =>
    String.fromCodePoint(((high.charCodeAt(0) - BASE) << 11) + (low.charCodeAt(0) - BASE)),
  )
}
