import { ObverseError } from 'obverse'

interface About {
  readonly about: string
  readonly short?: string
}
/** One flag of a command: what it takes and what help says of it. */
export type Flag =
  | (About & { readonly kind: 'switch' })
  /** May be repeated; its value is how often: `-vv` is 2. */
  | (About & { readonly kind: 'level' })
  | (About & { readonly kind: 'text'; readonly value: string })
  | (About & { readonly kind: 'choice'; readonly choices: readonly string[] })
  /** A whole number from `least` (default 1). */
  | (About & { readonly kind: 'number'; readonly least?: number })
  /** `500ms`, `60s`, `5m`, `1h`; without a unit, seconds. Its value is milliseconds. */
  | (About & { readonly kind: 'duration' })
  /** `200MB`, `1.5GB`, `512k`; without a unit, bytes. Its value is bytes. */
  | (About & { readonly kind: 'bytes' })

export type Flags = Readonly<Record<string, Flag>>

export type Values<F extends Flags> = { readonly [K in keyof F]: ValueOf<F[K]> }
type ValueOf<F extends Flag> = F['kind'] extends 'switch'
  ? boolean
  : F['kind'] extends 'level'
    ? number
    : F extends { readonly choices: readonly (infer Choice)[] }
      ? Choice | undefined
      : F['kind'] extends 'text'
        ? string | undefined
        : number | undefined

const MILLISECONDS: Record<string, number> = { ms: 1, '': 1_000, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }
const BYTES: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1_024,
  kb: 1_024,
  kib: 1_024,
  m: 1_024 ** 2,
  mb: 1_024 ** 2,
  mib: 1_024 ** 2,
  g: 1_024 ** 3,
  gb: 1_024 ** 3,
  gib: 1_024 ** 3,
}

/** What `--name value` means. @throws {ObverseError} `USAGE` */
export function flagValue(name: string, flag: Flag, text: string): string | number {
  switch (flag.kind) {
    case 'choice':
      if (flag.choices.includes(text)) return text
      throw wrong(name, text, `one of ${flag.choices.join(', ')}`)
    case 'number':
      return wholeNumber(text, flag.least ?? 1, `--${name}`)
    case 'duration':
      return measure(name, text, MILLISECONDS, 'a time as 500ms, 60s, 5m or 1h')
    case 'bytes':
      return measure(name, text, BYTES, 'a size as 200MB or 1GB')
    default:
      return text
  }
}

/** @throws {ObverseError} `USAGE` naming `what` */
export function wholeNumber(text: string, least: number, what: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least) return value
  throw new ObverseError('USAGE', `${what} is ${JSON.stringify(text)}; give a whole number from ${least}`)
}

function measure(name: string, text: string, units: Record<string, number>, example: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = units[unit.toLowerCase()]
  const value = Math.round(Number(amount) * (factor ?? Number.NaN))
  if (amount === '' || !Number.isSafeInteger(value) || value < 1) throw wrong(name, text, example)
  return value
}

function wrong(name: string, text: string, expected: string): ObverseError {
  return new ObverseError('USAGE', `--${name} is ${JSON.stringify(text)}; give ${expected}`)
}
