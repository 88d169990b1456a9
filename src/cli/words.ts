import { parseArgs } from 'node:util'
import { ObverseError } from 'obverse'
import type { Command } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'
import { didYouMean } from './did-you-mean.ts'
import { GLOBAL_FLAGS } from './globals.ts'
import { membersOf } from './help.ts'

/** What the words of a command line ask for, and what is left of it. */
export type Asked =
  | { readonly kind: 'version' | 'overview' }
  | { readonly kind: 'group'; readonly word: string }
  | { readonly kind: 'help'; readonly command: Command }
  | { readonly kind: 'run'; readonly command: Command; readonly rest: readonly string[] }

/** @throws {ObverseError} `USAGE` for a word that is not known, with the nearest one */
export function readWords(argv: readonly string[]): Asked {
  const switches = leading(argv)
  if (switches.has('--version') || switches.has('-V')) return { kind: 'version' }
  const places = positions(argv)
  const first = argv[places[0] ?? -1]
  const wantsHelp = asksForHelp(argv)
  if (first === undefined) {
    const flag = [...switches].find((name) => !isGlobal(name))
    if (flag !== undefined) throw new ObverseError('USAGE', `There is no flag ${flag}. Try obverse --help`)
    return { kind: 'overview' }
  }
  if (first === 'help') return helpFor(places.slice(1).map((place) => argv[place] ?? ''))
  const second = argv[places[1] ?? -1]
  const command = COMMANDS.find(({ words }) => words === first || words === `${first} ${second}`)
  if (command) {
    if (wantsHelp) return { kind: 'help', command }
    const used = new Set(places.slice(0, command.words.split(' ').length))
    return { kind: 'run', command, rest: argv.filter((_, place) => !used.has(place)) }
  }
  if (wantsHelp && second === undefined && first in GROUPS) return { kind: 'group', word: first }
  throw unknownWord(first, second)
}

function helpFor([first, second]: readonly string[]): Asked {
  if (first === undefined) return { kind: 'overview' }
  const command = COMMANDS.find(({ words }) => words === first || words === `${first} ${second}`)
  if (command) return { kind: 'help', command }
  if (first in GROUPS && second === undefined) return { kind: 'group', word: first }
  throw unknownWord(first, second)
}

function unknownWord(first: string, second: string | undefined): ObverseError {
  const members = membersOf(first).map(({ words }) => words.split(' ')[1] ?? '')
  if (members.length > 0) {
    const choices = `${members.slice(0, -1).join(', ')}${members.length > 1 ? ' or ' : ''}${members.at(-1)}`
    if (second === undefined) return new ObverseError('USAGE', `obverse ${first} needs one more word: ${choices}`)
    const hint = didYouMean(second, members) || ` It has ${choices}.`
    return new ObverseError('USAGE', `obverse ${first} has no ${JSON.stringify(second)}.${hint}`)
  }
  const hint = didYouMean(first, Object.keys(GROUPS)) || ' Try obverse --help'
  return new ObverseError('USAGE', `There is no command ${JSON.stringify(first)}.${hint}`)
}

/** Where the words are that are not flags or values of flags, by the flags of all commands. */
function positions(argv: readonly string[]): number[] {
  const every = COMMANDS.reduce((all, { flags = {} }) => Object.assign(all, flags), { ...GLOBAL_FLAGS })
  const options = Object.fromEntries(
    Object.entries(every).map(([name, { kind }]) => [
      name,
      { type: kind === 'switch' || kind === 'level' ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { tokens } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: false, tokens: true })
  return tokens.flatMap((token) => (token.kind === 'positional' ? [token.index] : []))
}

function leading(argv: readonly string[]): Set<string> {
  const end = argv.findIndex((word) => !word.startsWith('-'))
  return new Set(end < 0 ? argv : argv.slice(0, end))
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h')
}

function isGlobal(name: string): boolean {
  return /^--(app|json|verbose|help)\b|^-[vh]+$/.test(name)
}
