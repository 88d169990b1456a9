import { conflict, ObverseError, outage, permanent, retryPolicy, systemRuntime } from 'obverse'
import { describe, expect, it } from 'vitest'
import { codeOf, detailOf, failureOf, reasonOf, verdictOf } from '../../src/wire/failure.ts'

const runtime = { ...systemRuntime, now: () => 1_000, random: () => 0 }
const refuseToBeRead = (): never => {
  throw new Error('not this one either')
}
const policy = { retry: retryPolicy({ retries: 2 }), tracked: false }

describe('failure', () => {
  it.each([
    ['outage', outage('mailer down')],
    ['dead', permanent('no such author')],
    ['dead', new ObverseError('REFUSED', 'no')],
    ['dead', new ObverseError('MESSAGE_INVALID', 'no')],
    ['retry', conflict('again')],
    ['retry', new TypeError('x is undefined')],
    ['retry', 'a text'],
    ['retry', undefined],
    ['dead', new ObverseError('HANDLER_FAILED', 'it threw', { cause: permanent('never') })],
    ['outage', new ObverseError('HANDLER_FAILED', 'it threw', { cause: outage('down') })],
  ])('is %s for %o', (verdict, error) => {
    expect(verdictOf(error, runtime)).toBe(verdict)
  })

  it.each([
    [
      'an object whose getters throw',
      Object.defineProperties(
        {},
        Object.fromEntries(
          ['name', 'code', 'message', 'stack', 'cause'].map((name) => [name, { get: refuseToBeRead }]),
        ),
      ),
    ],
    ['an error whose getters throw', Object.defineProperty(new Error('no'), 'message', { get: refuseToBeRead })],
    [
      'a proxy that throws',
      new Proxy({}, { get: refuseToBeRead, getPrototypeOf: refuseToBeRead, ownKeys: refuseToBeRead }),
    ],
    ['an error whose message is no text', Object.assign(new Error('no'), { message: { odd: 1 }, stack: 1 })],
  ])('reads as much as can be read of %s', (_, thrown) => {
    for (const error of [thrown, new ObverseError('HANDLER_FAILED', 'it threw', { cause: thrown })]) {
      expect(verdictOf(error, runtime)).toBe('retry')
      expect(failureOf(error, 1, policy, runtime)).toMatchObject({
        retryAt: 2_000,
        code: 'Error',
        reason: expect.stringMatching(/./),
        detail: expect.stringMatching(/./),
      })
    }
  })

  it('counts outages as attempts without its protection', () => {
    expect(verdictOf(outage('down'), { ...runtime, without: new Set(['outage-is-free'] as const) })).toBe('retry')
  })

  it('has a next try until attempts are used up, with growing waits', () => {
    const next = [1, 2, 3].map((attempt) => failureOf(new Error('no'), attempt, policy, runtime).retryAt)
    expect(next).toEqual([2_000, 3_000, undefined])
    expect(failureOf(permanent('no'), 1, policy, runtime).retryAt).toBeUndefined()
  })

  it('says what happened in one line, with the code of the error or the name of its class', () => {
    expect(reasonOf(new Error(`line one\n  line two${'!'.repeat(600)}`))).toMatch(/^line one line two!+$/)
    expect(reasonOf(new Error('!'.repeat(600)))).toHaveLength(500)
    expect(reasonOf({ odd: 1 })).toBe('{"odd":1}')
    expect(codeOf(permanent('no'))).toBe('PERMANENT')
    expect(codeOf(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED')
    expect(codeOf(new RangeError('no'))).toBe('RangeError')
    expect(codeOf(undefined)).toBe('Error')
  })

  it('keeps stack and causes, bounded, also of errors that cause themselves', () => {
    const inner = new Error('inner')
    const outer = new Error('outer', { cause: inner })
    Object.assign(inner, { cause: outer })
    const detail = detailOf(outer)
    expect(detail.match(/outer/g)?.length).toBe(1)
    expect(detail).toContain('caused by: Error: inner')
    expect(detailOf(new Error('x'.repeat(20_000)))).toHaveLength(10_000)
  })
})
