import { isUtf8 } from 'node:buffer'

// Bodies are texts here and bytes on a wire. Most bytes are UTF-8; those that are not have to come back as they were.

/** Where the halves of surrogate pairs begin that stand for bytes. */
const ESCAPE = 0xdc00
const ESCAPED = /([\udc80-\udcff]+)/u

/**
 * A body as a text. A byte that belongs to no UTF-8 becomes half of a surrogate pair, U+DC80 to U+DCFF, as in PEP 383: no text
 * that is whole has one, so {@link bytesOfBody} gives back the very same bytes, and `readEnvelope` refuses it.
 */
export function bodyOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const size = sizeAt(bytes, at)
    if (size === 0) {
      units[length++] = ESCAPE + (bytes[at++] as number)
      continue
    }
    let point = (bytes[at] as number) & (size === 1 ? 0x7f : 0xff >> (size + 1))
    for (let next = 1; next < size; next += 1) point = (point << 6) | ((bytes[at + next] as number) & 0x3f)
    at += size
    if (point > 0xffff) {
      units[length++] = 0xd7c0 + (point >> 10)
      units[length++] = 0xdc00 + (point & 0x3ff)
    } else units[length++] = point
  }
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le')
}

/** The bytes that {@link bodyOfBytes} made a text of; of every other text its UTF-8. */
export function bytesOfBody(body: string): Buffer {
  if (body.isWellFormed()) return Buffer.from(body)
  const parts = body.split(ESCAPED)
  return Buffer.concat(parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part) : unescaped(part))))
}

function unescaped(halves: string): Buffer {
  const bytes = Buffer.allocUnsafe(halves.length)
  for (let at = 0; at < halves.length; at += 1) bytes[at] = halves.charCodeAt(at) - ESCAPE
  return bytes
}

/** Bytes of the character at this place; 0 where no UTF-8 begins. */
function sizeAt(bytes: Buffer, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return 1
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return 0
  for (let next = 1; next < size; next += 1) if (((bytes[at + next] as number) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1] as number
  // overlong, half of a surrogate pair, beyond the last character
  const wrong =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f)
  return wrong ? 0 : size
}
