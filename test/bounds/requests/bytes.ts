import fc from 'fast-check'

/** Bytes that do not belong into a text of UTF-8, or that few expect there. */
const ODD: readonly Buffer[] = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x00],
  [0x80],
  [0xe2, 0x82],
  [0x1f, 0x8b],
].map((bytes) => Buffer.from(bytes))
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** A text as bytes that were damaged on their way. */
export function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc
    .record({
      text,
      how: fc.constantFrom('cut', 'insert', 'replace', 'mark', 'wide', 'tail', 'twice', 'quotes', 'breaks'),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      odd: fc.constantFrom(...ODD),
    })
    .map(({ text: whole, how, at, odd }) => {
      const bytes = Buffer.from(whole)
      const place = Math.floor(at * bytes.length)
      const [head, tail] = [bytes.subarray(0, place), bytes.subarray(place)]
      switch (how) {
        case 'cut':
          return head
        case 'insert':
          return Buffer.concat([head, odd, tail])
        case 'replace':
          return Buffer.concat([head, odd, tail.subarray(odd.length)])
        case 'mark':
          return Buffer.concat([BYTE_ORDER_MARK, bytes])
        case 'wide':
          return Buffer.from(whole, 'utf16le')
        case 'tail':
          return Buffer.concat([bytes, odd])
        case 'twice':
          return Buffer.concat([bytes, bytes])
        case 'quotes':
          return Buffer.from(whole.replaceAll('"', "'"))
        default:
          return Buffer.from(whole.replaceAll(',', ',\n,'))
      }
    })
}
