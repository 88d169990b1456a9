import { type ChildProcess, spawn } from 'node:child_process'

/** A program of ours or of a twin, run in a process of its own. */
export interface Program {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a server in a process of its own and resolves when it has printed `ready`. */
export async function serverProcess({ args, env = {} }: Program, ready: RegExp = /ready/i): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=source', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  await new Promise<void>((resolve, reject) => {
    let printed = ''
    const read = (chunk: Buffer) => {
      printed += chunk
      if (!ready.test(printed)) return
      child.stdout.off('data', read).resume()
      resolve()
    }
    child.stdout.on('data', read)
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}: ${printed}`)))
  })
  return child
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
