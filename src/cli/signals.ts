import { systemRuntime } from 'obverse'

/** The part of a process that signals need. */
export interface Signals {
  on(name: NodeJS.Signals, listener: () => void): unknown
  off(name: NodeJS.Signals, listener: () => void): unknown
  exit(code: number): void
}

/** A wish to stop, from the outside. */
export interface Interruption {
  readonly signal: AbortSignal
  /** `SIGTERM`, `SIGINT`, or why else; once it is aborted. */
  readonly reason: () => string | undefined
  release(): void
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * Milliseconds within which a second signal is an echo: a terminal signals the whole group, and npm passes on what it
 * got itself.
 */
const ECHO = process.env.npm_lifecycle_event === undefined ? 0 : 250

/**
 * The first signal asks for a graceful stop and the second ends the process at once, with 128 and its number.
 * `closed` is aborted when nobody reads the output any more.
 */
export function interruption(signals: Signals, closed: AbortSignal, onFirst: (name: string) => void): Interruption {
  const controller = new AbortController()
  let reason: string | undefined
  let asked = 0
  const stop = (name: string) => {
    reason = name
    controller.abort()
  }
  const listeners = Object.entries(NUMBERS).map(([name, number]) => ({
    name: name as NodeJS.Signals,
    listener: () => {
      if (reason !== undefined) {
        if (systemRuntime.elapsed() - asked >= ECHO) signals.exit(128 + number)
        return
      }
      asked = systemRuntime.elapsed()
      onFirst(name)
      stop(name)
    },
  }))
  const onClosed = () => stop('a closed output')
  if (closed.aborted) onClosed()
  closed.addEventListener('abort', onClosed, { once: true })
  for (const { name, listener } of listeners) signals.on(name, listener)
  return {
    signal: controller.signal,
    reason: () => reason,
    release() {
      closed.removeEventListener('abort', onClosed)
      for (const { name, listener } of listeners) signals.off(name, listener)
    },
  }
}
