import { systemRuntime } from 'obverse'
import { loadApp } from './load.ts'
import { run } from './run.ts'

/** The command line of this process: runs it, and ends the process with its exit code. */
export async function main(): Promise<void> {
  const closed = new AbortController()
  let interruptible = false
  for (const stream of [process.stdout, process.stderr]) {
    // `| head` closes the pipe: no error. What runs until it is told to stop is told; everything else has nothing to say.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      closed.abort()
      if (!interruptible) process.exit(0)
    })
  }

  const code = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    runtime: systemRuntime,
    signals: {
      on(name, listener) {
        interruptible = true
        process.on(name, listener)
      },
      off: (name, listener) => process.off(name, listener),
      exit: (status) => process.exit(status),
    },
    closed: closed.signal,
    load: loadApp,
  })

  // Not left to the event loop: an application may hold a pool or a timer of its own. Pipes are flushed first.
  process.exitCode = code
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
}
