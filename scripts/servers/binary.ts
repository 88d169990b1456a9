import { accessSync, constants, globSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** The first executable file of that name in the folders, or else on the PATH. */
export function findBinary(
  name: string,
  folders: readonly string[] = [],
  path: string = process.env.PATH ?? '',
): string | undefined {
  return [...folders, ...path.split(delimiter)]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

/** The folders that match, the highest version in their names first. */
export function newestFirst(pattern: string): string[] {
  return globSync(pattern).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
}

/** An environment of its own for a server: nothing of the user's configuration gets in. */
export function cleanEnvironment(home: string, ...binaries: string[]): NodeJS.ProcessEnv {
  const folders = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin']
  const path = [...new Set([...binaries.map((binary) => dirname(binary)), ...folders])].join(delimiter)
  return {
    PATH: path,
    HOME: home,
    TMPDIR: home,
    TZ: 'UTC',
    LANG: process.platform === 'linux' ? 'C.UTF-8' : 'en_US.UTF-8',
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
