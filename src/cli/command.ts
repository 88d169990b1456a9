import type { App, Runtime } from 'obverse'
import type { ExitCode } from './exit.ts'
import type { Flags, Values } from './flag.ts'
import type { Input } from './input.ts'
import type { Output } from './print.ts'
import type { Interruption } from './signals.ts'

/** What a command is given to work with. */
export interface Context {
  readonly app: App
  readonly out: Output
  readonly input: Input
  readonly runtime: Runtime
  /** For commands that run until they are told to stop; the others just end. */
  readonly interruption: () => Interruption
}

export interface Given<F extends Flags> {
  readonly flags: Values<F>
  readonly positionals: readonly string[]
}

/** One command as data: help, the parser and the runner read the same words. */
export interface CommandSpec<F extends Flags> {
  /** `consume`, `channels list`. */
  readonly words: string
  /** `CHANNEL`, `[JSON]` if it may be left out, `ID…` for one or more, `[ID…]` for any number. */
  readonly takes?: readonly string[]
  /** One line. */
  readonly about: string
  /** Paragraphs below the usage. */
  readonly more?: readonly string[]
  readonly flags?: F
  /** It ends in more ways than most: help lists the exit codes. */
  readonly showsExitCodes?: boolean
  /** Command lines without the program's name, each with what it does. */
  readonly examples?: readonly (readonly [line: string, about: string])[]
  /** Nothing returned is success. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command that says nothing about its end has succeeded
  run(context: Context, given: Given<F>): Promise<ExitCode | void>
}

export type Command = CommandSpec<Flags>

/** Types the flags of a command by their table, and forgets them. */
export function command<const F extends Flags>(spec: CommandSpec<F>): Command {
  return spec as unknown as Command
}
