import { issueToken, parseToken, TOKEN_LIMITS } from 'obverse'
import { describe, expect, test } from 'vitest'

const part = (type: string, key: string, seq: number) => ({ type, key, seq })

describe('consistency token', () => {
  test('names the last event of each type and key, and survives a header', () => {
    const token = issueToken([part('a', 'k', 1), part('a', 'k', 3), part('b', 'k', 2), part('a', 'ä/"\n', 9)])
    expect(token).toMatch(/^[\w-]+$/)
    expect(parseToken(token)).toEqual([part('a', 'k', 3), part('b', 'k', 2), part('a', 'ä/"\n', 9)])
  })

  test('a write without events has the empty token, which waits for nothing', () => {
    expect(issueToken([])).toBe('')
    expect(parseToken('')).toEqual([])
  })

  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  test.each([
    '%%%',
    'a b',
    encode('x'),
    encode([]),
    encode([['a', 'k']]),
    encode([['a', 'k', 0]]),
    encode([['a', 'k', 1.5]]),
    encode([['a', 1, 1]]),
    encode([[null, 'k', 1]]),
    encode({ length: 1 }),
    encode(Array.from({ length: TOKEN_LIMITS.parts + 1 }, () => ['a', 'k', 1])),
    'A'.repeat(TOKEN_LIMITS.length + 1),
  ])('refuses what was not issued (%#)', (token) => {
    expect(() => parseToken(token)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }))
  })
})
