import { systemRuntime } from 'obverse'

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const
type Name = keyof typeof NUMBERS

/**
 * A terminal or a supervisor signals the whole group, and npm passes on what it got: under npm one wish to stop arrives
 * twice within milliseconds.
 */
const ECHO = process.env.npm_lifecycle_event === undefined ? 0 : 250

/** Resolves at the first signal, with its name; the second ends the process at once. */
export function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked: number | undefined
    for (const name of Object.keys(NUMBERS) as Name[]) {
      process.on(name, () => {
        if (asked === undefined) {
          asked = systemRuntime.elapsed()
          resolve(name)
        } else if (systemRuntime.elapsed() - asked > ECHO) process.exit(128 + NUMBERS[name])
      })
    }
  })
}
