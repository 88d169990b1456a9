import {
  bodyOf,
  command,
  completeBody,
  createRegistry,
  decode,
  type Envelope,
  envelopeOf,
  event,
  isObverseError,
  outgoing,
  readEnvelope,
  upcast,
} from 'obverse'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const history = upcast<{ name: string }>()
  .to((v1) => ({ first: v1.name, last: '' }))
  .to((v2) => ({ ...v2, nick: null as string | null }))
const SignedUp = event(
  'author.signed-up',
  z.object({ first: z.string(), last: z.string(), nick: z.string().nullable() }),
  { key: (e) => e.first, history },
)
const registry = createRegistry([SignedUp])
const metadata = { correlationId: 'c', causationId: null }
const stamped = { id: 'm-1', time: '2026-01-01T00:00:00.000Z', key: 'Ada', metadata, channels: ['mail'] }
const ada = { first: 'Ada', last: 'L"\u2028', nick: null }

function bodyWith(change: Record<string, unknown>): string {
  const body = JSON.parse(bodyOf(outgoing(SignedUp(ada), SignedUp, stamped))) as Record<string, unknown>
  return JSON.stringify({ ...body, ...change })
}

function codeOf(body: string): string {
  try {
    decode(body, registry)
    return 'none'
  } catch (error) {
    if (isObverseError(error)) return error.code
    throw error
  }
}

describe('codec', () => {
  test('a body reads back as the message it was made of, with seq and position where they were put in', () => {
    const body = bodyOf(outgoing(SignedUp(ada), SignedUp, stamped))
    const { envelope } = decode(completeBody(body, 7, 90), registry)
    expect(envelope).toEqual({
      id: 'm-1',
      type: 'author.signed-up',
      kind: 'event',
      schemaVersion: 3,
      time: stamped.time,
      key: 'Ada',
      seq: 7,
      position: 90,
      data: ada,
      metadata,
    } satisfies Envelope)
    expect(decode(completeBody(body, 7), registry).envelope.position).toBeUndefined()
    expect(completeBody('not json', null)).toBe('not json')
  })

  test('data of an older version is brought up step by step, from a queue and from the log', () => {
    const fromQueue = decode(bodyWith({ schemaVersion: 1, data: { name: 'Ada' } }), registry).envelope
    expect(fromQueue.data).toEqual({ first: 'Ada', last: '', nick: null })
    const row = { ...outgoing(SignedUp(ada), SignedUp, stamped), schemaVersion: 2, data: '{"first":"B","last":"C"}' }
    expect(envelopeOf(row, registry).data).toEqual({ first: 'B', last: 'C', nick: null })
  })

  test.each([
    ['not json', 'MESSAGE_MALFORMED'],
    ['[]', 'MESSAGE_MALFORMED'],
    ['null', 'MESSAGE_MALFORMED'],
    ['"text"', 'MESSAGE_MALFORMED'],
    ['{}', 'MESSAGE_MALFORMED'],
    [bodyWith({ id: 7 }), 'MESSAGE_MALFORMED'],
    [bodyWith({ type: '' }), 'MESSAGE_MALFORMED'],
    [bodyWith({ kind: 'deed' }), 'MESSAGE_MALFORMED'],
    [bodyWith({ kind: 'command' }), 'MESSAGE_MALFORMED'],
    [bodyWith({ key: 5 }), 'MESSAGE_MALFORMED'],
    [bodyWith({ seq: 0 }), 'MESSAGE_MALFORMED'],
    [bodyWith({ seq: 1.5 }), 'MESSAGE_MALFORMED'],
    [bodyWith({ position: '9' }), 'MESSAGE_MALFORMED'],
    [bodyWith({ schemaVersion: 'x' }), 'MESSAGE_MALFORMED'],
    [bodyWith({ schemaVersion: 2 ** 31 }), 'MESSAGE_MALFORMED'],
    [bodyWith({ metadata: [] }), 'MESSAGE_MALFORMED'],
    [bodyWith({ type: '__proto__' }), 'MESSAGE_TYPE_UNKNOWN'],
    [bodyWith({ type: 'constructor' }), 'MESSAGE_TYPE_UNKNOWN'],
    [bodyWith({ schemaVersion: 4 }), 'MESSAGE_VERSION_UNKNOWN'],
    [bodyWith({ data: { first: 1 } }), 'MESSAGE_INVALID'],
    [bodyWith({ data: null }), 'MESSAGE_INVALID'],
  ])('%s is %s', (body, code) => {
    expect(codeOf(body)).toBe(code)
  })

  test.each(['id', 'type', 'key'])('a message with a %s that no index can hold is malformed', (field) => {
    expect(codeOf(bodyWith({ [field]: 'x'.repeat(501) }))).toBe('MESSAGE_MALFORMED')
    expect(() => readEnvelope(bodyWith({ [field]: 'x'.repeat(500) }))).not.toThrow()
  })

  test('what fails its schema is named by field', () => {
    expect(() => decode(bodyWith({ data: { first: 1, last: '', nick: null } }), registry)).toThrow(/first: /)
  })

  test('a message without metadata correlates with itself', () => {
    expect(readEnvelope('{"id":"a","type":"t","kind":"event","time":"x","data":{}}').metadata).toEqual({
      correlationId: 'a',
      causationId: null,
    })
  })

  test('an event that its schema transforms is not transformed once more by a consumer; a command is, once', () => {
    const cents = z.number().transform((n) => n * 100)
    const Paid = event('paid', z.object({ amount: cents }), { key: () => 'k' })
    const Pay = command('pay', z.object({ amount: cents }))
    const known = createRegistry([Paid, Pay])
    const bodyFor = (message: ReturnType<typeof Paid> | ReturnType<typeof Pay>, definition: typeof Paid | typeof Pay) =>
      bodyOf(outgoing(message, definition, stamped))
    expect(decode(bodyFor(Paid({ amount: 300 }), Paid), known).envelope.data).toEqual({ amount: 300 })
    expect(decode(bodyFor(Pay({ amount: 3 }), Pay), known).envelope.data).toEqual({ amount: 300 })
  })
})
