// Real processes for tests: start one, wait until it says it is ready, read what it printed, kill it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root: string = join(import.meta.dirname, '..')

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** How a process ended: `code` is null when `signal` killed it. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningProcess {
  readonly pid: number
  /** Everything it printed so far, both streams. */
  readonly output: string
  readonly stdout: string
  readonly stderr: string
  /** Set once it has ended and both streams are closed. */
  readonly exit: Exit | undefined
  /** Resolves when the output matches; rejects, with the output, when it ends before or takes too long. */
  printed(pattern: RegExp, timeout?: number): Promise<RegExpExecArray>
  /** Resolves when it has ended. */
  ended(timeout?: number): Promise<Exit>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  /** SIGTERM, and waits for the end; killed after `timeout`. */
  stop(timeout?: number): Promise<Exit>
}

const running = new Set<RunningProcess>()

/** Runs a TypeScript file of this repository with the Node that runs the test. */
export function start(file: string, args: readonly string[] = [], options: StartOptions = {}): RunningProcess {
  const child = spawn(process.execPath, ['--conditions=source', join(root, file), ...args], {
    cwd: options.cwd ?? root,
    env: { ...environment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const started = watch(child, `${file} ${args.join(' ')}`)
  running.add(started)
  child.once('close', () => running.delete(started))
  return started
}

/** Runs to its end and gives what it printed and its exit code; never rejects because of the code. */
export async function runToEnd(
  file: string,
  args: readonly string[] = [],
  options: StartOptions & { readonly timeout?: number } = {},
): Promise<{
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly output: string
}> {
  const child = start(file, args, options)
  const { code } = await child.ended(options.timeout ?? 20_000)
  return { code, stdout: child.stdout, stderr: child.stderr, output: child.output }
}

/** Kills what a test left running; for `afterAll`. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map((each) => each.kill()))
}

/** Resolves with what `look` gives as soon as it is not undefined or false; rejects when it takes too long. */
export async function until<T>(what: string, look: () => T | Promise<T>, timeout = 10_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeout
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<T>
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeout} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A folder that is gone when `remove` is called. */
export function temporaryFolder(name = 'obverse'): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** What an application reads from the environment must come from the test alone. */
function environment(): NodeJS.ProcessEnv {
  const { PORT: _, HOST: _1, DATA_DIR: _2, NODE_OPTIONS: _3, ORDERS_ON: _4, ...others } = process.env
  const { DATABASE_URL: _5, AMQP_URL: _6, MONGODB_URL: _7, ORDERS_PARTITIONS: _8, ...rest } = others
  // stripping the types of two hundred files is half of a short process
  return { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile'), ...rest }
}

function watch(child: ChildProcess, name: string): RunningProcess {
  const streams = { stdout: '', stderr: '' }
  let output = ''
  let exit: Exit | undefined
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      streams[stream] += text
      output += text
      tell()
    })
  }
  child.once('close', (code, signal) => {
    exit = { code, signal }
    tell()
  })
  child.once('error', (error) => {
    output += String(error)
  })

  const wait = <T>(what: string, timeout: number, look: () => T | undefined, endIsFailure: boolean): Promise<T> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        listeners.delete(check)
        act()
      }
      const fail = (why: string) => settle(() => reject(new Error(`${name}: ${why} before ${what}\n${output}`)))
      const timer = setTimeout(() => fail(`${timeout} ms went by`), timeout)
      const check = () => {
        const found = look()
        if (found !== undefined) settle(() => resolve(found))
        else if (exit && endIsFailure) fail(`it ended with ${exit.code ?? exit.signal}`)
      }
      listeners.add(check)
      check()
    })

  return {
    pid: child.pid ?? -1,
    get output() {
      return output
    },
    get stdout() {
      return streams.stdout
    },
    get stderr() {
      return streams.stderr
    },
    get exit() {
      return exit
    },
    printed: (pattern, timeout = 15_000) =>
      wait(`it printed ${pattern}`, timeout, () => pattern.exec(output) ?? undefined, true),
    ended: (timeout = 15_000) => wait('it ended', timeout, () => exit, false),
    signal: (signal) => {
      child.kill(signal)
    },
    async kill() {
      if (exit) return
      child.kill('SIGKILL')
      if (!exit) await once(child, 'close')
    },
    async stop(timeout = 15_000) {
      child.kill('SIGTERM')
      return await this.ended(timeout).catch(async (error) => {
        await this.kill()
        throw error
      })
    },
  }
}
