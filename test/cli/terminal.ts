import { Readable } from 'node:stream'
import { type App, systemRuntime } from 'obverse'
import { run } from '../../src/cli/run.ts'
import { NOW } from './hand-made.ts'

export interface Session {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface TerminalOptions {
  /** A terminal of this width; absent: a pipe. */
  readonly columns?: number
  readonly colour?: boolean
  readonly stdin?: string
  /** Signals that come once the command listens for them. */
  readonly signals?: readonly NodeJS.Signals[]
  readonly closed?: AbortSignal
}

/** A terminal with one application in it: runs command lines and keeps what they print. */
export function terminal(app: App, options: TerminalOptions = {}): (...argv: string[]) => Promise<Session> {
  return async (...argv) => {
    const written = { stdout: '', stderr: '' }
    const sink = (name: keyof typeof written) => ({
      write(text: string) {
        written[name] += text
      },
      isTTY: options.columns !== undefined,
      columns: options.columns,
    })
    let exited: number | undefined
    const pending = options.signals ?? []
    const code = await run(argv, {
      stdout: sink('stdout'),
      stderr: sink('stderr'),
      stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
      env: options.colour ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' },
      cwd: process.cwd(),
      runtime: { ...systemRuntime, now: () => NOW },
      signals: {
        on(name, listener) {
          const times = pending.filter((one) => one === name).length
          setImmediate(() => {
            for (let time = 0; time < times; time += 1) listener()
          })
        },
        off() {},
        exit(status) {
          exited ??= status
        },
      },
      closed: options.closed ?? new AbortController().signal,
      load: async () => app,
    })
    return { code: exited ?? code, ...written }
  }
}
