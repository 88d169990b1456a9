import type { Runtime } from './clock.ts'
import { outageDelay } from './retry.ts'

export interface LoopOptions {
  readonly name: string
  /** Does one batch; true means there may be more, so it runs again at once. */
  readonly step: () => Promise<boolean> | boolean
  /** Milliseconds between looks when nothing woke the loop. The recovery path, not the fast one. */
  readonly idle: number
  /** Told of every failure; the loop goes on, backing off from 50 ms to 5 s. */
  readonly onError?: (error: unknown) => void
  readonly runtime: Runtime
}

/**
 * A loop that is woken or polls, survives every error, and starts, drains and stops at any moment, twice too.
 * A wake that comes during a step is not lost: the step runs once more.
 */
export interface Loop {
  start(): void
  /** Work may be there: look now. */
  wake(): void
  /** Starts nothing new and resolves when the running step has ended. */
  stop(): Promise<void>
  readonly running: boolean
}

export function createLoop({ step, idle, onError, runtime }: LoopOptions): Loop {
  let active = false
  let busy: Promise<void> | undefined
  let woken = false
  let failures = 0
  let cancelTimer: () => void = () => {}

  const rest = (ms: number) => {
    cancelTimer()
    cancelTimer = runtime.after(ms, turn)
  }
  const turn = () => {
    cancelTimer()
    if (!active || busy) return
    busy = run().finally(() => {
      busy = undefined
      if (!active) return
      if (woken && failures === 0) turn()
      else rest(failures > 0 ? outageDelay(failures, runtime.random) : idle)
    })
  }
  const run = async () => {
    do {
      woken = false
      try {
        const more = await step()
        failures = 0
        if (!more) return
      } catch (error) {
        failures += 1
        onError?.(error)
        return
      }
    } while (active)
  }
  return {
    start() {
      if (active) return
      active = true
      turn()
    },
    wake() {
      woken = true
      if (active && failures === 0) turn()
    },
    async stop() {
      active = false
      cancelTimer()
      await busy
    },
    get running() {
      return active
    },
  }
}
