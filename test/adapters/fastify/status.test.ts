import { ERRORS, type ErrorCode, ObverseError, refuse } from 'obverse'
import { failureOf } from 'obverse/fastify'
import { describe, expect, it } from 'vitest'

const SECRET = 'table orders_x of /var/lib/secret.db'
const codes = Object.keys(ERRORS) as ErrorCode[]

describe('what a client learns of an error', () => {
  it.each(codes.filter((code) => ERRORS[code].kind !== 'refusal'))('%s: that it is ours, and nothing else', (code) => {
    const failure = failureOf(new ObverseError(code, SECRET, { cause: new Error(SECRET), fields: { a: [SECRET] } }))
    expect(JSON.stringify(failure)).not.toContain('secret')
    expect(failure.status).toBe(ERRORS[code].status === 503 ? 503 : 500)
    expect(failure.retryAfter !== undefined).toBe(failure.status === 503)
  })

  it.each(codes.filter((code) => ERRORS[code].kind === 'refusal'))('%s: its status and code', (code) => {
    const failure = failureOf(new ObverseError(code, 'text'))
    expect(failure).toMatchObject({ status: ERRORS[code].status, code })
  })

  it('a refusal: the words of the application, its fields and its reason', () => {
    const refusal = refuse('A completed order is final', { fields: { status: ['is final'] }, reason: 'order-final' })
    expect(failureOf(refusal)).toEqual({
      status: 409,
      code: 'REFUSED',
      message: 'A completed order is final',
      fields: { status: ['is final'] },
      reason: 'order-final',
    })
  })

  it('a conflict: the words of the registry, not of whoever noticed', () => {
    expect(failureOf(new ObverseError('CONFLICT', SECRET)).message).toBe(ERRORS.CONFLICT.title)
  })

  it('a cursor: which parameter was meant', () => {
    expect(failureOf(new ObverseError('CURSOR_INVALID', SECRET)).fields).toEqual({
      cursor: [ERRORS.CURSOR_INVALID.title],
    })
  })

  it.each([new Error(SECRET), SECRET, undefined, null, { name: 'ObverseError', code: 'NOT_A_CODE', message: SECRET }])(
    'anything else (%s): a 500 without a word of it',
    (error) => {
      expect(failureOf(error)).toEqual({ status: 500, code: 'INTERNAL', message: 'Something went wrong on our side.' })
    },
  )
})
