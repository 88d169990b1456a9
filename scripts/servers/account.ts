import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whom servers run as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

export const isRoot: boolean = process.getuid?.() === 0

/**
 * Undefined when they run as whoever runs this. As root they run as `nobody`, or whom OBVERSE_SERVERS_USER names: some
 * refuse to be root, and none needs to be.
 */
export function account(): Account | undefined {
  if (!isRoot) return undefined
  const name = process.env.OBVERSE_SERVERS_USER ?? 'nobody'
  const row = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
  const [, , uid, gid] = row?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`OBVERSE_SERVERS_USER: there is no user ${name}`)
  return { uid: Number(uid), gid: Number(gid) }
}

/** A folder of the servers' account, closed to others. */
export function ownFolder(path: string, owner: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (owner) chownSync(path, owner.uid, owner.gid)
}

export function ownFile(path: string, text: string, owner: Account | undefined, mode = 0o600): void {
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  if (owner) chownSync(path, owner.uid, owner.gid)
}

/** Throws when the account cannot get into a folder, because of a folder above it: servers would say it less clearly. */
export function assertEnterable(path: string, owner: Account | undefined): void {
  if (!owner) return
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid } = statSync(folder)
    if (uid !== owner.uid && (mode & 0o001) === 0) {
      throw new Error(
        `${folder} is closed to the user servers run as (${owner.uid}): let TMPDIR name a folder open to all`,
      )
    }
    if (folder === dirname(folder)) return
  }
}
