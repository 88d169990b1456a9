import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly account?: { readonly uid: number; readonly gid: number } | undefined
  /** What it prints goes to this process's own stderr as well. */
  readonly show?: boolean
  /** Rejects when it ends with another code than 0. Default true. */
  readonly check?: boolean
  /** Milliseconds; then it is killed. */
  readonly timeout?: number
}

export interface Ran {
  /** -1 when it could not be started, or a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end without blocking the event loop. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env, cwd, account, show = false, check = true, timeout } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: env ?? process.env,
      ...(cwd === undefined ? {} : { cwd }),
      ...account,
      ...(timeout === undefined ? {} : { timeout, killSignal: 'SIGKILL' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const printed = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        printed[stream] += text
        if (show) process.stderr.write(text)
      })
    }
    const end = (code: number, why: string): void => {
      if (code === 0 || !check) resolve({ code, ...printed })
      else reject(new Error([`${command} ${args.join(' ')}: ${why}`, printed.stdout, printed.stderr].join('\n').trim()))
    }
    child.once('error', (error) => {
      printed.stderr += error.message
      end(-1, error.message)
    })
    child.once('close', (code, signal) => end(code ?? -1, signal ?? `code ${code}`))
  })
}
