import fc from 'fast-check'
import { wordsOf } from 'obverse'
import { describe, expect, test } from 'vitest'
import { wordsIn } from '../../src/read/words.ts'

describe('words', () => {
  test.each([
    ['Crème-Brûlée 2x', ['creme', 'brulee', '2x']],
    ['STRASSE straße ẞ', ['strasse', 'ss']],
    ['ΟΔΟΣ οδός', ['οδοσ']],
    ['İstanbul ISTANBUL ıstanbul', ['istanbul']],
    ["don't, 3.14; e-mail@x.org", ['don', 't', '3', '14', 'e', 'mail', 'x', 'org']],
    ['ﬁne ½ x²', ['fine', '1', '2', 'x2']],
    ['Łódź smørrebrød', ['łodz', 'smørrebrød']],
    ['हिन्दी की', ['हिन्दी', 'की']],
    ['so\u00adft co\u200doperate', ['soft', 'cooperate']],
    ['北京 烤鸭', ['北京', '烤鸭']],
    [' - \n', []],
    ['', []],
  ])('of %j are %j', (text, words) => expect(wordsOf(text)).toEqual(words))

  test('are those of every text of a list, and none of what is no text', () => {
    expect(wordsOf(['red shoe', 7, null, ['deep'], 'shoe box'])).toEqual(['red', 'shoe', 'box'])
    for (const value of [undefined, null, 7, true, { text: 'red' }]) expect(wordsOf(value)).toEqual([])
  })

  test('do not change when they are folded again, nor by the case of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const words = wordsOf(text)
        expect(wordsOf(words.join(' '))).toEqual(words)
        // an iota below a letter is an accent, and a letter of its own in capitals
        const plain = text.normalize('NFKD').replace(/\u0345/g, '')
        expect(wordsOf(plain.toUpperCase())).toEqual(wordsOf(plain.toLowerCase()))
      }),
      { numRuns: 2_000, seed: 7 },
    )
  })

  test('have nothing in them that a query language could read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const word of wordsOf(text)) expect(word).toMatch(/^[\p{L}\p{N}\p{M}]+$/u)
      }),
      { numRuns: 1_000, seed: 8 },
    )
  })

  test('count 64 characters, whole ones, and all of a field 32,768', () => {
    expect(wordsOf('𐐀'.repeat(70))).toEqual(['𐐨'.repeat(64)])
    const many = Array.from({ length: 10_000 }, (_, n) => `w${String(n).padStart(7, '0')}`)
    expect(wordsOf(many.join(' '))).toEqual(many.slice(0, 4_096))
    expect(wordsOf([many.join(' '), 'more'])).toHaveLength(4_096)
  })

  test('of a question come as often as they were asked', () => {
    expect([...wordsIn('Red shoe red')]).toEqual(['red', 'shoe', 'red'])
  })
})
