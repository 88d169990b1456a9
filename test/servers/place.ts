// What the processes of one test run share: a folder that vitest's main process makes and removes.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const VARIABLE = 'OBVERSE_TEST_RUN_DIR'

/** The folder of this run. */
export function runFolder(): string {
  const folder = process.env[VARIABLE]
  if (!folder) throw new Error(`${VARIABLE} is not set: servers for tests need test/servers/global.ts as a globalSetup`)
  return folder
}

/** Where the servers are that the files of the run share. */
export function serversFolder(): string {
  return setFolder('shared')
}

/** A set of the run's; all of them end with it. */
export function setFolder(name: string): string {
  return join(runFolder(), 'sets', name)
}

/** The sets that were started. */
export function setFolders(): string[] {
  const sets = join(runFolder(), 'sets')
  return existsSync(sets) ? readdirSync(sets).map((name) => join(sets, name)) : []
}

/** Where what was made on servers that outlive the run is written down until it is dropped. */
export function leftoversFolder(): string {
  const folder = join(runFolder(), 'leftovers')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Something the reader of the run's output has to know; said once, however many files say it. */
export function note(text: string): void {
  appendFileSync(join(runFolder(), 'notes'), `${text}\n`)
}

export function notes(): string[] {
  const file = join(runFolder(), 'notes')
  return existsSync(file) ? [...new Set(readFileSync(file, 'utf8').trim().split('\n'))].sort() : []
}
