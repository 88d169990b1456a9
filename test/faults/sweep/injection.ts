import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'

/** What is done to one call of the system, and to the process that makes it. */
export type Injected = 'SIGKILL' | 'EIO' | 'ENOSPC'
/** Those by which SQLite writes, and waits for the disk. */
export type Call = 'pwrite64' | 'fsync'

export interface Ending {
  readonly output: string
  readonly killed: boolean
}

/** Why calls of the system cannot be injected into here; `undefined` where they can. */
export function missing(): string | undefined {
  const { status } = spawnSync('strace', ['-qq', '-e', 'inject=fsync:error=EIO', 'true'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'there is no strace here that may trace processes'
}

/** Runs a program of Node with the nth of its calls made to fail, or to end it. */
export function inject(call: Call, what: Injected, nth: number, program: readonly string[]): Promise<Ending> {
  const how = what === 'SIGKILL' ? 'signal=SIGKILL' : `error=${what}`
  return traced(['-e', `trace=${call}`, '-e', `inject=${call}:${how}:when=${nth}`, '-o', '/dev/null'], program)
}

/** How many of these calls a program makes that nobody disturbs. */
export async function calls(call: Call, program: readonly string[], scratch: string): Promise<number> {
  await traced(['-e', `trace=${call}`, '-o', scratch], program)
  const lines = readFileSync(scratch, 'utf8').split('\n')
  rmSync(scratch)
  return lines.filter((line) => line.includes(`${call}(`)).length
}

function traced(options: readonly string[], program: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const args = ['-f', '-qqq', ...options, process.execPath, '--conditions=source', ...program]
    const child = spawn('strace', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ output, killed: signal === 'SIGKILL' || code === 137 }))
  })
}
