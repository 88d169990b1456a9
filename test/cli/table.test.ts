import { describe, expect, it } from 'vitest'
import { ageText, bytesText, counted, durationText } from '../../src/cli/age.ts'
import { progressText } from '../../src/cli/progress.ts'
import { styles, wantsColour } from '../../src/cli/style.ts'
import { tableLines } from '../../src/cli/table.ts'
import { cut, pad, width, wrap } from '../../src/cli/width.ts'

describe('the width of a text', () => {
  it.each([
    ['abc', 3],
    ['Zoë', 3],
    ['Zoe\u0308', 3],
    ['漢字', 4],
    ['한글', 4],
    ['👩‍👩‍👧', 2],
    ['✓', 1],
    ['❤️', 2],
    ['a\u200bb', 2],
    ['', 0],
  ])('%j', (text, columns) => expect(width(text)).toBe(columns))

  it('is kept by cutting and padding, whole characters only', () => {
    expect(cut('漢字漢字', 5)).toBe('漢字…')
    expect(cut('漢字漢字', 4)).toBe('漢…')
    expect(cut('abc', 3)).toBe('abc')
    expect(pad('漢', 4)).toBe('漢  ')
    expect(pad('1', 3, true)).toBe('  1')
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  })
})

describe('a table', () => {
  const plain = styles(false)
  const heads = [
    { title: 'name' },
    { title: 'count', right: true },
    { title: 'text', least: 6 },
    { title: 'more', optional: true },
  ]
  const rows = [
    ['漢字', '7', 'short', 'x'],
    ['orders_events', '12,345', 'a text that is rather long', 'y'],
  ]

  it('aligns its columns', () => {
    expect(tableLines(heads, rows, plain, undefined)).toEqual([
      '  name            count  text                        more',
      '  漢字                7  short                       x',
      '  orders_events  12,345  a text that is rather long  y',
    ])
  })

  it('cuts what may be cut, then leaves columns out, and never a name', () => {
    expect(tableLines(heads, rows, plain, 44)[2]).toBe('  orders_events  12,345  a text that…   y')
    expect(tableLines(heads, rows, plain, 34)[2]).toBe('  orders_events  12,345  a text t…')
    for (const line of tableLines(heads, rows, plain, 34)) expect(width(line)).toBeLessThanOrEqual(34)
  })

  it('leaves out a column that says nothing', () => {
    expect(tableLines([{ title: 'a' }, { title: 'b' }], [['x', '']], plain, undefined)).toEqual(['  a', '  x'])
  })

  it('makes control characters of a message harmless', () => {
    expect(tableLines([{ title: 'a' }], [['\u001b]0;x\u0007\n']], plain, undefined)[1]).toBe('  \\x1b]0;x\\x07')
  })
})

describe('numbers for people', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')

  it.each([
    [now - 500, 'now'],
    [now - 5_000, '5 s ago'],
    [now - 125_000, '2 min ago'],
    [now - 7_200_000, '2 h ago'],
    [now - 3 * 86_400_000, '3 d ago'],
    [now + 65_000, 'in 1 min'],
    ['not a time', 'not a time'],
  ])('an age: %s', (at, text) => expect(ageText(at, now)).toBe(text))

  it.each([
    [0.0421, '0.04 ms'],
    [9.999, '10 ms'],
    [420, '420 ms'],
    [4_210, '4.2 s'],
    [59_990, '1 min'],
    [125_000, '2 min 5 s'],
    [7_260_000, '2 h 1 min'],
  ])('a duration: %s', (ms, text) => expect(durationText(ms)).toBe(text))

  it('sizes, counts and progress', () => {
    expect([bytesText(512), bytesText(1_434), bytesText(209_715_200)]).toEqual(['512 B', '1.4 kB', '200 MB'])
    expect([counted(1, 'row'), counted(1_234, 'row')]).toEqual(['1 row', '1,234 rows'])
    const state = { position: 5_200, head: 10_000, events: 5_200, perSecond: 1_200 }
    expect(progressText(state)).toBe('52 %  5,200 of 10,000  1,200/s  4 s left')
    expect(progressText({ ...state, head: 0, position: 0, perSecond: 0 })).toBe('100 %  0 of 0  0/s')
  })
})

describe('colour', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
  ])('%j on a terminal %s: %s', (env, terminal, on) => expect(wantsColour(env, terminal)).toBe(on))
})
