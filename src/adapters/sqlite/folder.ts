import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ObverseError } from 'obverse'

/**
 * Makes the folder of `file` and those above it. One by one: the recursive `mkdir` of Node never ends where a folder
 * exists and refuses children with "not found", as /proc does.
 *
 * @throws {ObverseError} `STORE_UNREACHABLE` naming the file
 */
export function makeFolder(file: string): void {
  const missing: string[] = []
  for (let folder = dirname(resolve(file)); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder)
  for (const folder of missing) {
    try {
      mkdirSync(folder)
    } catch (cause) {
      if (existsSync(folder)) continue // another process was first
      throw new ObverseError(
        'STORE_UNREACHABLE',
        `The folder of ${file} cannot be made (${(cause as Error).message}); check the path and its permissions`,
        { cause },
      )
    }
  }
}
