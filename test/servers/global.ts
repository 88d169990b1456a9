// vitest's globalSetup: costs a folder. Servers start when a test file first asks for one, and end here.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { known } from '../../scripts/servers/process.ts'
import { endRun } from './end.ts'
import { endKeeper, OWNER } from './keeper.ts'
import { runFolder, VARIABLE } from './place.ts'

export default async function setup(): Promise<() => Promise<void>> {
  process.env[VARIABLE] = mkdtempSync(join(tmpdir(), 'obverse-test-run-'))
  chmodSync(runFolder(), 0o755) // servers run as somebody else when this is root
  writeFileSync(join(runFolder(), OWNER), JSON.stringify(await known(process.pid)))
  return async () => {
    await endKeeper()
    await endRun()
  }
}
