import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromLine, messagesOf, toLine } from '../../src/cli/raw.ts'

const awkward = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\r', ' ', '{', '}') }),
  fc.string().map((text) => JSON.stringify(text)),
  fc.string().map((text) => JSON.stringify(JSON.stringify(`${text}\n`))),
  fc.json(),
)

describe('a raw message as a line', () => {
  it('comes back as it was, whatever it is', () => {
    fc.assert(
      fc.property(awkward, (body) => {
        const line = toLine(body)
        expect(line).not.toMatch(/[\r\n]/)
        if (isObjectOverLines(body)) expect(JSON.parse(fromLine(line))).toEqual(JSON.parse(body))
        else expect(fromLine(line)).toBe(body)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['one line of JSON', '{"a":1}', '{"a":1}'],
    ['a text', 'not json', 'not json'],
    ['JSON over several lines', '{\n  "a": 1\r\n}', '{   "a": 1 }'],
    ['a text over several lines', 'a\nb', '"a\\nb"'],
    ['a JSON string', '"a"', '"a"'],
    ['a JSON string that looks like a coded text', '"a\\nb"', '"\\"a\\\\nb\\""'],
    ['nothing', '', '""'],
  ])('is readable: %s', (_, body, line) => expect(toLine(body)).toBe(line))
})

describe('the messages of a file', () => {
  it.each<[what: string, text: string, lines: boolean, messages: string[]]>([
    ['one message, without the line break at its end', '{"a":1}\n', false, ['{"a":1}']],
    ['a message over several lines is one', '{\n"a":1\n}\n', false, ['{\n"a":1\n}']],
    ['several lines of text are one', 'not\njson\n', false, ['not\njson']],
    ['several whole messages are several', '{"a":1}\n{"a":2}\n', false, ['{"a":1}', '{"a":2}']],
    ['with lines every line is one', 'not json\n\n{"a":2}\r\n', true, ['not json', '{"a":2}']],
    ['an empty file is an empty message', '', false, ['']],
    ['with lines an empty file is none', '', true, []],
    ['a coded text is what it stands for', '"a\\nb"\n', false, ['a\nb']],
    ['a JSON string is itself', '"a"\n', false, ['"a"']],
  ])('%s', (_, text, lines, messages) => expect(messagesOf(text, lines)).toEqual(messages))

  it('are what peek printed', () => {
    fc.assert(
      fc.property(fc.array(awkward.filter((body) => !isObjectOverLines(body))), (bodies) => {
        const printed = bodies.map((body) => `${toLine(body)}\n`).join('')
        expect(messagesOf(printed, true)).toEqual(bodies)
      }),
    )
  })
})

function isObjectOverLines(text: string): boolean {
  if (!/[\r\n]/.test(text)) return false
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}
