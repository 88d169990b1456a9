import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMANDS, GROUPS } from '../../src/cli/commands.ts'
import { EXIT, EXIT_TEXTS } from '../../src/cli/exit.ts'
import { GLOBAL_FLAGS } from '../../src/cli/globals.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/cli.md'), 'utf8')
const mentioned = (text: string) => new RegExp(`(?<![\\w-])${text}(?![\\w-])`).test(page)

describe('docs/reference/cli.md', () => {
  it.each(COMMANDS.map(({ words }) => words))('explains %s', (words) => expect(page).toContain(`**\`obverse ${words}`))

  it.each(
    COMMANDS.flatMap(({ words, flags = {} }) =>
      Object.keys({ ...flags, ...GLOBAL_FLAGS }).map((flag) => [words, flag]),
    ),
  )('%s: knows --%s', (_, flag) => expect(mentioned(`--${flag}`)).toBe(true))

  it('names no flag that is not there', () => {
    const known = new Set(COMMANDS.flatMap(({ flags = {} }) => Object.keys({ ...flags, ...GLOBAL_FLAGS })))
    const named = [...page.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(([, name]) => name ?? '')
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  it('lists every exit code', () => {
    for (const code of Object.values(EXIT)) {
      expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
      expect(EXIT_TEXTS.map(([text]) => text)).toContain(String(code))
    }
  })
})

describe('the table of commands', () => {
  it('has a word for each group, and no two commands of one name', () => {
    expect(new Set(COMMANDS.map(({ words }) => words)).size).toBe(COMMANDS.length)
    for (const { words } of COMMANDS) expect(GROUPS).toHaveProperty([words.split(' ')[0] ?? ''])
  })

  it('gives one flag one kind everywhere, so that words are found among flags', () => {
    const kinds = new Map<string, string>()
    for (const { flags = {} } of COMMANDS) {
      for (const [name, { kind }] of Object.entries({ ...flags, ...GLOBAL_FLAGS })) {
        const takes = kind === 'switch' || kind === 'level' ? 'nothing' : 'a value'
        expect(`${name} takes ${kinds.get(name) ?? takes}`).toBe(`${name} takes ${takes}`)
        kinds.set(name, takes)
      }
    }
  })

  it('says what each does in one line of a narrow terminal', () => {
    for (const { words, about } of COMMANDS) expect(`${words}: ${about}`.length).toBeLessThan(80)
  })
})
