// What tests made on servers that outlive the run, so that a crash leaves nothing there.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { leftoversFolder } from './place.ts'
import { dropSpace, type Home } from './space.ts'

/** Before it is made. */
export function remember(home: Home, space: string): void {
  writeFileSync(join(leftoversFolder(), space), JSON.stringify(home), { mode: 0o600 })
}

/** After it was dropped. */
export function forget(space: string): void {
  rmSync(join(leftoversFolder(), space), { force: true })
}

/** Drops what nobody dropped; a server that is gone by now took it along. */
export async function dropLeftovers(): Promise<void> {
  const spaces = readdirSync(leftoversFolder())
  await Promise.all(
    spaces.map(async (space) => {
      const home: Home = JSON.parse(readFileSync(join(leftoversFolder(), space), 'utf8'))
      await dropSpace(home, space).catch(() => {})
    }),
  )
}
