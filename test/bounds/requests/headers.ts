import fc from 'fast-check'
import { MEMBERS } from './mutation.ts'

export type Headers = Readonly<Record<string, string>>

/** Stands for the id of an order that exists, and for the token of a write that was answered. */
export const KNOWN_ID = '{known-id}'
export const KNOWN_TOKEN = '{known-token}'

const token = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
/** Printable, and what a client of HTTP may send at all: it refuses line breaks itself. */
const latin = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
})

const TOKENS: readonly string[] = [
  '',
  KNOWN_TOKEN,
  `${KNOWN_TOKEN}x`,
  'e30',
  'bnVsbA',
  token(),
  token([]),
  token(['order.created', 'nobody', 1]),
  token(['order.created', 'nobody', -1]),
  token(['order.created', 'nobody', 1.5]),
  token(['order.created', 'nobody', '1']),
  token(['__proto__', '__proto__', 1]),
  token(['no.such.type', 'nobody', 1]),
  token(...Array.from({ length: 201 }, (_, at) => ['no.such.type', `${at}`, 1])),
  'A'.repeat(13_000),
]

const KEYS: readonly string[] = [
  '',
  ' ',
  'k',
  'x'.repeat(255),
  'x'.repeat(256),
  'caf\u00e9',
  '\u0080',
  "' OR 1=1 --",
  ...MEMBERS,
]

const TYPES: readonly string[] = [
  'application/json; charset=utf-8',
  'application/json; charset=latin1',
  'application/JSON',
  'application/json, text/plain',
  'application/problem+json',
  'text/plain',
  'text/json',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'x',
  '/',
  ';',
  '',
]

const some = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<Headers> =>
  values.map((value) => ({ [name]: value }))

/** Of a token that names what nobody wrote: each waits until the application gives up, so they are few. */
const LAST = token(['order.created', '00000000-0000-4000-8000-000000000000', 1])

/** Headers that mean something to the application, mostly wrong. */
export const oddHeaders: fc.Arbitrary<Headers> = fc.oneof(
  {
    arbitrary: some('consistency-token', fc.oneof(fc.constantFrom(...TOKENS.filter((one) => !waits(one))), latin)),
    weight: 400,
  },
  { arbitrary: some('consistency-token', fc.constantFrom(LAST, token(['order.created', 'nobody', 1]))), weight: 1 },
  { arbitrary: some('idempotency-key', fc.oneof(fc.constantFrom(...KEYS), latin)), weight: 400 },
  {
    arbitrary: some('traceparent', fc.oneof(fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`), latin)),
    weight: 200,
  },
  { arbitrary: some('origin', fc.oneof(fc.constantFrom('null', 'https://example.com', '*'), latin)), weight: 100 },
  {
    arbitrary: some('accept', fc.oneof(fc.constantFrom('text/html', 'application/xml', '*/*;q=0'), latin)),
    weight: 100,
  },
  { arbitrary: some('content-encoding', fc.constantFrom('gzip', 'br', 'identity', 'x')), weight: 100 },
  { arbitrary: some('expect', fc.constantFrom('100-continue', 'x')), weight: 50 },
  { arbitrary: some('x-http-method-override', fc.constantFrom('DELETE', 'PATCH')), weight: 50 },
  {
    arbitrary: some(
      'x-long',
      fc.constantFrom(1_000, 8_000, 15_000, 20_000).map((length) => 'y'.repeat(length)),
    ),
    weight: 30,
  },
)

export const oddType: fc.Arbitrary<Headers> = some('content-type', fc.oneof(fc.constantFrom(...TYPES), latin))

function waits(text: string): boolean {
  return text === token(['order.created', 'nobody', 1])
}
