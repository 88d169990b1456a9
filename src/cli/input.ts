import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { ObverseError } from 'obverse'
import type { Sink } from './print.ts'

/** What a command may read. */
export interface Input {
  /** True when a person can be asked. */
  readonly isTerminal: boolean
  /** A file's text, `-` for standard input, exactly. @throws {ObverseError} `USAGE` */
  text(file: string): Promise<string>
  /** The words of `given` as JSON; `-` reads it from standard input; nothing is an empty object. */
  json(given: string | undefined): Promise<unknown>
  ask(question: string): Promise<string>
}

export function input(options: { stdin: Readable & { isTTY?: boolean }; stderr: Sink; cwd: string }): Input {
  const { stdin, stderr, cwd } = options
  const isTerminal = stdin.isTTY === true && stderr.isTTY === true
  const text = async (file: string) => {
    if (file === '-') {
      const chunks: Buffer[] = []
      for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks).toString('utf8')
    }
    try {
      return await readFile(resolve(cwd, file), 'utf8')
    } catch (cause) {
      throw new ObverseError('USAGE', `${file} cannot be read; give a file, or - for standard input`, { cause })
    }
  }
  return {
    isTerminal,
    text,
    async json(given) {
      const source = given === undefined ? '{}' : given === '-' ? await text('-') : given
      try {
        return JSON.parse(source) as unknown
      } catch (cause) {
        const from = given === '-' ? 'standard input' : JSON.stringify(source.slice(0, 60))
        throw new ObverseError('USAGE', `${from} is not JSON; quote it for the shell: '{"name":"value"}'`, { cause })
      }
    },
    async ask(question) {
      const terminal = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream & Sink })
      try {
        return (await terminal.question(question)).trim()
      } finally {
        terminal.close()
      }
    },
  }
}
