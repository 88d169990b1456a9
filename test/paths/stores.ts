import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from 'obverse'
import { memory } from 'obverse/memory'
import { sqlite } from 'obverse/sqlite'
import { afterAll } from 'vitest'

/** The stores that a whole application is tested on: one text, every stack. */
export const stores: readonly (readonly [string, () => Store])[] = [
  ['memory', () => memory()],
  ['sqlite', () => sqlite(join(folder(), 'app.db'))],
]

const folders: string[] = []

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'obverse-'))
  folders.push(made)
  return made
}

afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})

/** Looks until `look` gives something, at most `ms`. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 10_000,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`nothing after ${ms} ms: ${look}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
