import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { bodyOfBytes, bytesOfBody, createRegistry, decode } from 'obverse'
import { describe, expect, it } from 'vitest'

/** Bytes of which some are UTF-8, some are nearly, and some are not at all. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 5 }).map((some) => Buffer.from(some)),
      fc
        .constantFrom(
          [0xed, 0xa0, 0x80],
          [0xc0, 0x80],
          [0xe0, 0x9f, 0xbf],
          [0xf0, 0x8f, 0xbf, 0xbf],
          [0xf4, 0x90, 0x80, 0x80],
        )
        .map((some) => Buffer.from(some)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts))

describe('a body', () => {
  it('comes back to the byte, whatever its bytes are', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        const body = bodyOfBytes(some)
        expect(bytesOfBody(body).equals(some)).toBe(true)
        expect(body.isWellFormed()).toBe(isUtf8(some))
        if (isUtf8(some)) expect(body).toBe(some.toString())
      }),
      { numRuns: 5_000 },
    )
  })

  it('keeps what can be read of it', () => {
    expect(bodyOfBytes(Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9]), Buffer.from(' 😀 €')]))).toBe(
      'caf\udce9 😀 €',
    )
  })

  it('that is not UTF-8 is no message, even where its JSON could be read', () => {
    const body = bodyOfBytes(Buffer.from('{"id":"m1","type":"t","kind":"event","time":"x","data":"caf\xe9"}', 'latin1'))
    expect(JSON.parse(body).data).toBe('caf\udce9')
    expect(() => decode(body, createRegistry([]))).toThrow(/MESSAGE_MALFORMED|not UTF-8/)
  })

  it('of a megabyte that is nothing but noise is read at once', () => {
    const noise = Buffer.alloc(1_048_576, 0xff)
    expect(bytesOfBody(bodyOfBytes(noise)).equals(noise)).toBe(true)
  })
})
