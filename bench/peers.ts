import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Installs other libraries beside the checkout, for the bench only, and imports one of them. */
export async function peer<T>(name: string, packages: readonly string[]): Promise<T> {
  const folder = join(process.cwd(), '.bench', 'peers')
  mkdirSync(folder, { recursive: true })
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) writeFileSync(manifest, '{"private":true,"type":"module"}')
  if (!existsSync(join(folder, 'node_modules', name))) {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  const resolve = createRequire(pathToFileURL(manifest)).resolve
  const module = (await import(pathToFileURL(resolve(name)).href)) as T & { default?: T }
  return module.default ?? module
}
