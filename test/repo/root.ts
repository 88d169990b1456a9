import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root: string = join(import.meta.dirname, '../..')

export interface Entry {
  source: string
  types: string
  default: string
}

interface Manifest {
  name: string
  exports: Record<string, Entry | string>
  dependencies?: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

export const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The entries that are code, by the name a user imports. */
export const entries: [name: string, entry: Entry][] = Object.entries(manifest.exports).flatMap(([path, entry]) =>
  typeof entry === 'string' ? [] : [[manifest.name + path.slice(1), entry]],
)

/** Runs to its end; what it printed is the message of the failure. */
export function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

/** What git would commit: the tracked files and the new ones that are not ignored. */
export function filesInGit(...patterns: string[]): string[] {
  return run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', ...patterns], root)
    .split('\0')
    .filter((file) => file !== '')
}
