import { type LogLevel, type LogTone, logJson, logSteps, type Runtime } from 'obverse'
import type { Context } from './command.ts'
import type { Interruption } from './signals.ts'

/**
 * Prints what happens while something runs: lines at the level of `-v` and `-vv`, with `--json` one JSON line for each
 * notable step (`-vv`: each). The returned function ends it.
 */
export function followSteps({ app, out, runtime }: Context, flags: object): () => void {
  const verbose = Number((flags as { verbose?: number }).verbose ?? 0)
  const level: LogLevel = verbose >= 2 ? 'vv' : verbose === 1 ? 'v' : 'normal'
  const { now } = runtime
  if (out.json) {
    return app.observe(logJson((line) => out.line(line), { steps: level === 'vv' ? 'all' : 'notable', now }))
  }
  const write = (line: string, tone: LogTone) => out.line(tone === 'plain' ? line : out.style[tone](line))
  const kind = (type: string) => app.definition(type)?.kind
  return app.observe(logSteps({ level, write, kind, now }))
}

/** Resolves when a signal asks for the end. */
export function untilStopped(runtime: Runtime, { signal }: Interruption): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    // a pending promise keeps no process alive, and an application with nothing to do may hold nothing open
    let release = () => {}
    const hold = () => {
      release = runtime.after(HOLD, hold)
    }
    hold()
    const stop = () => {
      release()
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}

const HOLD = 3_600_000
