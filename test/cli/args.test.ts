import { describe, expect, it } from 'vitest'
import { parseArguments } from '../../src/cli/args.ts'
import type { Flags } from '../../src/cli/flag.ts'
import { readWords } from '../../src/cli/words.ts'

const flags = {
  limit: { kind: 'number', about: '' },
  'time-limit': { kind: 'duration', about: '' },
  'memory-limit': { kind: 'bytes', about: '' },
  state: { kind: 'choice', choices: ['dead', 'retry'], about: '' },
  raw: { kind: 'text', value: 'FILE', about: '' },
  follow: { kind: 'switch', short: 'f', about: '' },
  verbose: { kind: 'level', short: 'v', about: '' },
} as const satisfies Flags

const parse = (...args: string[]) => parseArguments(args, flags)

describe('arguments', () => {
  it('are absent by default', () => {
    expect(parse().flags).toEqual({ follow: false, verbose: 0 })
  })

  it.each([
    ['500ms', 500],
    ['60s', 60_000],
    ['60', 60_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('read a time: %s', (text, ms) => expect(parse('--time-limit', text).flags['time-limit']).toBe(ms))

  it.each([
    ['200MB', 209_715_200],
    ['200m', 209_715_200],
    ['1.5gb', 1_610_612_736],
    ['4096', 4_096],
  ])('read a size: %s', (text, bytes) => expect(parse('--memory-limit', text).flags['memory-limit']).toBe(bytes))

  it('may stand anywhere, with = or without, short ones together', () => {
    expect(parse('a', '--limit=3', '-vvf', 'b', '--raw', '-')).toEqual({
      flags: { limit: 3, verbose: 2, follow: true, raw: '-' },
      positionals: ['a', 'b'],
    })
  })

  it('end at --', () => expect(parse('--', '--limit', '3').positionals).toEqual(['--limit', '3']))

  it.each([
    [['--limt', '3'], 'There is no flag --limt. Did you mean --limit?'],
    [['--zzzzzzzz'], 'There is no flag --zzzzzzzz. It knows --limit'],
    [['-x'], 'There is no flag -x.'],
    [['--limit'], '--limit needs a value'],
    [['--limit', '--follow'], '--limit needs a value'],
    [['--limit', '0'], '--limit is "0"; give a whole number from 1'],
    [['--limit', '-3'], '--limit is "-3"; give a whole number from 1'],
    [['--limit', '1e3'], '--limit is "1e3"'],
    [['--limit', '3.5'], '--limit is "3.5"'],
    [['--time-limit', '5 parsecs'], '--time-limit is "5 parsecs"; give a time as 500ms, 60s, 5m or 1h'],
    [['--memory-limit', 'lots'], 'give a size as 200MB or 1GB'],
    [['--state', 'gone'], '--state is "gone"; give one of dead, retry'],
    [['--follow=yes'], '--follow takes no value'],
  ])('that cannot be understood are named: %j', (args, message) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    )
  })
})

describe('words', () => {
  const asked = (...argv: string[]) => {
    const found = readWords(argv)
    return found.kind === 'run' ? [found.command.words, ...found.rest] : found.kind
  }

  it('name a command, wherever the flags stand', () => {
    expect(asked('consume', 'mail', '--limit', '3')).toEqual(['consume', 'mail', '--limit', '3'])
    expect(asked('--app', 'x.ts', '--json', 'channels', 'peek', 'mail')).toEqual([
      'channels peek',
      '--app',
      'x.ts',
      '--json',
      'mail',
    ])
    expect(asked('channels', '--limit', '3', 'peek', 'list')).toEqual(['channels peek', '--limit', '3', 'list'])
  })

  it.each([
    [[], 'overview'],
    [['--help'], 'overview'],
    [['help'], 'overview'],
    [['--version'], 'version'],
    [['consume', '--help'], 'help'],
    [['consume', 'x', '-h'], 'help'],
    [['help', 'failed', 'list'], 'help'],
    [['channels', '--help'], 'group'],
    [['help', 'channels'], 'group'],
  ])('ask for help: %j', (argv, kind) => expect(asked(...argv)).toBe(kind))

  it.each([
    [['cosume'], 'There is no command "cosume". Did you mean consume?'],
    [['xyzzy'], 'There is no command "xyzzy". Try obverse --help'],
    [['failed'], 'obverse failed needs one more word: list, show, retry, edit or skip'],
    [['failed', 'retyr'], 'Did you mean retry?'],
    [['log'], 'obverse log needs one more word: tail'],
    [['help', 'cosume'], 'Did you mean consume?'],
    [['--frobnicate'], 'There is no flag --frobnicate'],
  ])('that are not known get the nearest: %j', (argv, message) => {
    expect(() => asked(...argv)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    )
  })
})
