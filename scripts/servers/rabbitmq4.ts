import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot } from './account.ts'
import type { Launch, Place, Program } from './program.ts'
import { rabbitmqProgram } from './rabbitmq.ts'

/** Where `install.sh` puts a small Debian 13, which has RabbitMQ 4; `down` leaves it, for it takes most of a minute. */
export const RABBITMQ4_ROOT: string = process.env.OBVERSE_RABBITMQ4_ROOT ?? join(tmpdir(), 'obverse-rabbitmq4-root')

/** RabbitMQ 4 in a root of its own; undefined when there is none, or this is not root, who alone may enter one. */
export function findRabbitmq4(): Program | undefined {
  const server = '/usr/lib/rabbitmq/bin/rabbitmq-server'
  // The name can be guessed: one that somebody else made is none.
  if (!isRoot || !existsSync(join(RABBITMQ4_ROOT, server)) || statSync(RABBITMQ4_ROOT).uid !== 0) return undefined
  return rabbitmqProgram(server, '/usr/bin/epmd', RABBITMQ4_ROOT, inside)
}

// Mounts are seen in there only, and end with the process. The instance's folder has the same path inside.
const enter = `
set -e
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
mkdir -p "$ROOT$FOLDER"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount --bind "$FOLDER" "$ROOT$FOLDER"
exec chroot --userspec="$ACCOUNT" "$ROOT" sh -c 'cd "$0" && exec "$@"' "$FOLDER" "$@"`

function inside({ role, command, args, env }: Launch, { folder, account }: Place): Launch {
  return {
    role,
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', 'sh', '-c', enter, 'sh', command, ...args],
    env: { ...env, ROOT: RABBITMQ4_ROOT, FOLDER: folder, ACCOUNT: `${account?.uid}:${account?.gid}` },
    asRoot: true,
  }
}
