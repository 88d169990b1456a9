import type { ParseArgsOptionsConfig } from 'node:util'

export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

export interface Command {
  readonly says: string
  /** Its options, a line each. */
  readonly usage: readonly string[]
  readonly options: ParseArgsOptionsConfig
  /** Words that may follow its name. */
  readonly words?: readonly string[]
  /** Resolves with the exit code. */
  run(values: Values): Promise<number>
}

/** Ends the command: the message is all that a person needs to see. */
export class Failed extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

export function text(values: Values, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}
