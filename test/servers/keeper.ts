// Ends a run's servers when the run cannot: after Ctrl-C, SIGKILL or a crash of vitest. A process of its own, started
// with the first server; it looks whether the run's main process lives.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withLock } from '../../scripts/servers/lock.ts'
import { isRunning, type KnownProcess, known, signal } from '../../scripts/servers/process.ts'
import { endRun } from './end.ts'
import { runFolder, VARIABLE } from './place.ts'

/** The file that names the run's main process. */
export const OWNER = 'owner.json'
const KEEPER = 'keeper.json'

/** Starts the keeper unless it runs. */
export async function startKeeper(): Promise<void> {
  await withLock(join(runFolder(), 'keeper.lock'), async () => {
    if (existsSync(join(runFolder(), KEEPER))) return
    const { NODE_OPTIONS: _, ...rest } = process.env
    const env = { ...rest, [VARIABLE]: runFolder() }
    // Its own session: the terminal's Ctrl-C is not for it. No stream of vitest's: whoever reads those waits for their end.
    const child = spawn(process.execPath, [import.meta.filename], { env, detached: true, stdio: 'ignore' })
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
    writeFileSync(join(runFolder(), KEEPER), JSON.stringify(await known(child.pid as number)))
  })
}

/** Ends it, since the run ends its servers itself. */
export async function endKeeper(): Promise<void> {
  const keeper = read(KEEPER)
  if (keeper && (await isRunning(keeper))) signal(keeper, 'SIGKILL')
}

async function keep(): Promise<void> {
  const owner = read(OWNER)
  while (await isRunning(owner)) await sleep(250)
  // Workers that are still there could start what has just been ended.
  await sleep(1_000)
  await endRun()
}

function read(name: string): KnownProcess | undefined {
  const file = join(runFolder(), name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

if (import.meta.main) await keep()
