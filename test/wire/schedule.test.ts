import { isObverseError } from 'obverse'
import { describe, expect, it } from 'vitest'
import { dueAt } from '../../src/wire/schedule.ts'

const NOW = 1_000_000

describe('schedule', () => {
  it('is due at once without a time, or with one that has passed', () => {
    expect(dueAt({}, NOW)).toBeUndefined()
    expect(dueAt({ delay: 0 }, NOW)).toBeUndefined()
    expect(dueAt({ at: new Date(NOW - 1) }, NOW)).toBeUndefined()
  })

  it('is never early', () => {
    expect(dueAt({ delay: 2_000 }, NOW)).toBe(NOW + 2_000)
    expect(dueAt({ delay: 0.2 }, NOW)).toBe(NOW + 1)
    expect(dueAt({ at: new Date(NOW + 5) }, NOW)).toBe(NOW + 5)
    expect(dueAt({ delay: 10, at: new Date(NOW + 5) }, NOW)).toBe(NOW + 10)
  })

  it.each([
    ['delay', { delay: -1 }],
    ['delay', { delay: Number.NaN }],
    ['delay', { delay: Number.POSITIVE_INFINITY }],
    ['delay', { delay: 11 * 365.25 * 86_400_000 }],
    ['at', { at: new Date(Number.NaN) }],
    ['at', { at: new Date(NOW + 11 * 365.25 * 86_400_000) }],
    ['at', { at: 'tomorrow' as unknown as Date }],
  ])('refuses a bad %s by name: %o', (field, options) => {
    try {
      dueAt(options, NOW)
      expect.unreachable()
    } catch (error) {
      expect(isObverseError(error, 'VALIDATION_FAILED') && Object.keys(error.fields ?? {})).toEqual([field])
    }
  })
})
