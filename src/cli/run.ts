import { createRequire } from 'node:module'
import type { Readable } from 'node:stream'
import { type App, ObverseError, type Runtime } from 'obverse'
import { parseArguments } from './args.ts'
import type { Command, Context } from './command.ts'
import { EXIT, exitCodeOf } from './exit.ts'
import { printFailure } from './failure.ts'
import { GLOBAL_FLAGS } from './globals.ts'
import { printCommand, printGroup, printOverview, usageOf } from './help.ts'
import { input } from './input.ts'
import { output, type Sink } from './print.ts'
import { type Interruption, interruption, type Signals } from './signals.ts'
import { readWords } from './words.ts'

/** Everything outside of the command line. */
export interface Surroundings {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly stdin: Readable & { isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly runtime: Runtime
  readonly signals: Signals
  /** Aborted when nobody reads standard output any more. */
  readonly closed: AbortSignal
  readonly load: (flag: string | undefined, cwd: string, env: NodeJS.ProcessEnv) => Promise<App>
}

/** Runs one command line and answers with its exit code. Never throws. */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  const { stdout, stderr, env } = around
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const json = before.includes('--json')
  const stack = before.includes('-vv') || before.filter((word) => /^(-v|--verbose)$/.test(word)).length > 1
  try {
    const asked = readWords(argv)
    const out = output({ stdout, stderr, env, json: json && asked.kind === 'run' })
    if (asked.kind === 'run') return await runCommand(asked.command, asked.rest, around)
    if (asked.kind === 'version') out.line(version())
    if (asked.kind === 'overview') printOverview(out)
    if (asked.kind === 'group') printGroup(out, asked.word)
    if (asked.kind === 'help') printCommand(out, asked.command)
    return EXIT.done
  } catch (error) {
    printFailure(error, { stderr, env, json, stack })
    return exitCodeOf(error)
  }
}

async function runCommand(command: Command, rest: readonly string[], around: Surroundings): Promise<number> {
  const { flags, positionals } = parseArguments(rest, { ...GLOBAL_FLAGS, ...command.flags })
  checkCount(command, positionals)
  const { stdout, stderr, stdin, env, cwd, runtime } = around
  const app = await around.load(flags.app as string | undefined, cwd, env)
  const interruptions: Interruption[] = []
  const context: Context = {
    app,
    out: output({ stdout, stderr, env, json: flags.json === true }),
    input: input({ stdin, stderr, cwd }),
    runtime,
    interruption() {
      const one = interruption(around.signals, around.closed, (name) => {
        stderr.write(`${name}: finishing what runs; a second signal ends it at once\n`)
      })
      interruptions.push(one)
      return one
    },
  }
  try {
    return (await command.run(context, { flags: flags as never, positionals })) ?? EXIT.done
  } finally {
    await app.stop()
    for (const one of interruptions) one.release()
  }
}

function checkCount(command: Command, positionals: readonly string[]): void {
  const takes = command.takes ?? []
  const least = takes.filter((name) => !name.startsWith('[')).length
  const most = takes.some((name) => /…\]?$/.test(name)) ? Number.POSITIVE_INFINITY : takes.length
  if (positionals.length < least) {
    throw new ObverseError('USAGE', `${takes[positionals.length]} is missing: ${usageOf(command)}`)
  }
  if (positionals.length > most) {
    throw new ObverseError('USAGE', `${JSON.stringify(positionals[most])} is one word too many: ${usageOf(command)}`)
  }
}

function version(): string {
  const { version: text } = createRequire(import.meta.url)('obverse/package.json') as { version: string }
  return text
}
