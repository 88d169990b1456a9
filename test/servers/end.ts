import { rmSync } from 'node:fs'
import { ServerSet } from '../../scripts/servers/set.ts'
import { dropLeftovers } from './leftovers.ts'
import { runFolder, setFolders } from './place.ts'

/** Ends all that a run has started, and removes its folder. */
export async function endRun(): Promise<void> {
  await dropLeftovers()
  await Promise.all(setFolders().map((folder) => new ServerSet(folder).down()))
  rmSync(runFolder(), { recursive: true, force: true })
}
