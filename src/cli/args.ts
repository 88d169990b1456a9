import { parseArgs } from 'node:util'
import { ObverseError } from 'obverse'
import { didYouMean } from './did-you-mean.ts'
import { type Flag, type Flags, flagValue } from './flag.ts'

export interface Arguments {
  readonly flags: Readonly<Record<string, string | number | boolean | undefined>>
  readonly positionals: readonly string[]
}

/**
 * Reads the words after a command by its flag table. Flags may stand anywhere; `--` ends them. A flag given twice
 * counts as given last.
 *
 * @throws {ObverseError} `USAGE` naming the flag, with the nearest known one
 */
export function parseArguments(args: readonly string[], flags: Flags): Arguments {
  const options = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, optionOf(flag)]))
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true })
  const values: Record<string, string | number | boolean | undefined> = {}
  for (const [name, flag] of Object.entries(flags)) {
    values[name] = flag.kind === 'switch' ? false : flag.kind === 'level' ? 0 : undefined
  }
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const flag = flags[token.name]
    if (!flag) throw unknown(token.rawName, flags)
    if (flag.kind === 'switch' || flag.kind === 'level') {
      if (token.value !== undefined) throw new ObverseError('USAGE', `${token.rawName} takes no value`)
      values[token.name] = flag.kind === 'switch' ? true : Number(values[token.name]) + 1
    } else {
      values[token.name] = flagValue(token.name, flag, given(token))
    }
  }
  return { flags: values, positionals }
}

function optionOf(flag: Flag): { type: 'boolean' | 'string'; short?: string } {
  const type = flag.kind === 'switch' || flag.kind === 'level' ? 'boolean' : 'string'
  return flag.short === undefined ? { type } : { type, short: flag.short }
}

/** `--limit --json` is a forgotten value, not a limit of `--json`; a lone dash is standard input. */
function given(token: { rawName: string; value: string | undefined; inlineValue: boolean | undefined }): string {
  const { rawName, value, inlineValue } = token
  if (value === undefined || (!inlineValue && /^-[^\d]/.test(value))) {
    throw new ObverseError('USAGE', `${rawName} needs a value; for one that begins with a dash write ${rawName}=VALUE`)
  }
  return value
}

function unknown(rawName: string, flags: Flags): ObverseError {
  const known = Object.keys(flags).map((name) => `--${name}`)
  const hint = didYouMean(rawName, known) || ` It knows ${known.join(', ')}.`
  return new ObverseError('USAGE', `There is no flag ${rawName}.${hint}`)
}
