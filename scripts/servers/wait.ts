import { setTimeout as sleep } from 'node:timers/promises'

/** Looks every few milliseconds until `look` gives something; rejects after `timeout` ms, naming what was awaited. */
export async function waitUntil<T>(
  what: string,
  timeout: number,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + timeout
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeout / 1000} s`)
    await sleep(20)
  }
}
