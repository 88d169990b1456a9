import type { Runtime } from '../runtime/clock.ts'
import type { Log } from './feed.ts'

/** Milliseconds an event gets to come by its channel before the log is asked to see to it. */
const LAG = 2_000
/** Milliseconds between samples of the head. */
const EVERY = 500

/** The head of the log as it was some time ago: whoever reads up to it does not race with what comes by a channel. */
export function createLaggingHead(log: Pick<Log, 'head'>, runtime: Runtime): () => Promise<number> {
  let samples: { readonly at: number; readonly head: number }[] = []
  return async () => {
    const now = runtime.elapsed()
    const last = samples.at(-1)
    if (!last || now - last.at >= EVERY) samples.push({ at: now, head: await log.head() })
    const newest = samples.findLastIndex(({ at }) => now - at >= LAG)
    if (newest > 0) samples = samples.slice(newest)
    return newest < 0 ? 0 : (samples[0]?.head ?? 0)
  }
}
