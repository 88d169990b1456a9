import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isRoot } from './account.ts'
import { NAMES, type ServerName } from './name.ts'
import { RABBITMQ4_ROOT } from './rabbitmq4.ts'
import { run } from './run.ts'

const possible = isRoot && existsSync('/etc/debian_version')

/** Gets what these servers need from the distribution; what it prints is shown. Rejects when something cannot be had. */
export async function install(names: readonly ServerName[]): Promise<void> {
  if (names.length === 0) return
  if (!possible) throw new Error(`--install gets packages on Debian, as root: not ${names.join(', ')} here`)
  const args = names.map((name) => (name === 'rabbitmq4' ? `rabbitmq4=${RABBITMQ4_ROOT}` : NAMES[name].kind))
  await run(join(import.meta.dirname, 'install.sh'), [...new Set(args)], { show: true })
}
