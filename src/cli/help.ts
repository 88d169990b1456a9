import type { Command } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'
import { EXIT_TEXTS } from './exit.ts'
import type { Flag, Flags } from './flag.ts'
import { GLOBAL_FLAGS } from './globals.ts'
import type { Output } from './print.ts'
import { pad, width, wrap } from './width.ts'

/** All commands, and what holds for each of them. */
export function printOverview(out: Output): void {
  out.line('Operates an application made with Obverse.')
  out.line()
  usage(out, ['obverse COMMAND … [--app FILE] [--json]'])
  out.title('Commands')
  pairs(
    out,
    Object.entries(GROUPS).flatMap(([word, about]) => rowsOf(word, about)),
  )
  out.line()
  flags(out, GLOBAL_FLAGS)
  out.title('Finding the application')
  paragraph(out, 'By --app, else by the field "obverse": { "app": "FILE" } of the nearest package.json that has one.')
  out.line()
  exitCodes(out)
  out.line()
  out.hint('More about one: obverse COMMAND --help')
}

/** One command. */
export function printCommand(out: Output, command: Command): void {
  paragraph(out, sentence(command.about), 0)
  out.line()
  usage(out, [usageOf(command)])
  for (const text of command.more ?? []) {
    paragraph(out, text)
    out.line()
  }
  flags(out, { ...command.flags, ...GLOBAL_FLAGS })
  if (command.examples) {
    out.title('Examples')
    pairs(
      out,
      command.examples.map(([line, about]) => [`obverse ${line}`, about]),
    )
    out.line()
  }
  if (command.showsExitCodes) exitCodes(out)
  else out.hint('Exit codes: 0 done, 1 failed, 2 usage, 3 outage; obverse --help says more.')
}

/** The commands of one word: `channels`. */
export function printGroup(out: Output, word: string): void {
  paragraph(out, sentence(GROUPS[word] ?? ''), 0)
  out.line()
  const members = membersOf(word)
  usage(out, members.map(usageOf))
  pairs(
    out,
    members.map(({ words, about }) => [words, about]),
  )
  out.line()
  out.hint(`obverse ${members[0]?.words} --help says more.`)
}

export function membersOf(word: string): readonly Command[] {
  return COMMANDS.filter(({ words }) => words.startsWith(`${word} `))
}

/** `obverse channels put CHANNEL [BODY] [flags]`. */
export function usageOf({ words, takes = [], flags: own = {} }: Command): string {
  return ['obverse', words, ...takes, ...(Object.keys(own).length > 0 ? ['[flags]'] : [])].join(' ')
}

function rowsOf(word: string, about: string): [string, string][] {
  const members = membersOf(word)
  if (members.length === 0) return [[word, about]]
  return members.map((member) => [member.words, member.about])
}

function usage(out: Output, lines: readonly string[]): void {
  out.title('Usage')
  for (const line of lines) out.line(`  ${line}`)
  out.line()
}

function flags(out: Output, all: Flags): void {
  out.title('Flags')
  pairs(
    out,
    Object.entries(all).map(([name, flag]) => [flagText(name, flag), flag.about]),
  )
  out.line()
}

function flagText(name: string, flag: Flag): string {
  const value = { switch: '', level: '', text: '', number: ' N', duration: ' TIME', bytes: ' SIZE', choice: '' }[
    flag.kind
  ]
  const shown = flag.kind === 'text' ? ` ${flag.value}` : flag.kind === 'choice' ? ` ${flag.choices.join('|')}` : value
  return `${flag.short ? `-${flag.short}, ` : ''}--${name}${shown}`
}

function exitCodes(out: Output): void {
  out.title('Exit codes')
  pairs(out, EXIT_TEXTS)
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`
}

function paragraph(out: Output, text: string, indent = 2): void {
  for (const line of wrap(text, (out.columns ?? 100) - indent)) out.line(' '.repeat(indent) + line)
}

/** Two columns, the second wrapped under itself. */
function pairs(out: Output, rows: readonly (readonly [left: string, right: string])[]): void {
  const wide = Math.min(30, Math.max(0, ...rows.map(([left]) => width(left))))
  for (const [left, right] of rows) {
    const lines = wrap(right, (out.columns ?? 100) - wide - 4)
    const own = width(left) > wide
    if (own) out.line(`  ${left}`)
    for (const [at, line] of lines.entries()) out.line(`  ${pad(at === 0 && !own ? left : '', wide)}  ${line}`)
  }
}
