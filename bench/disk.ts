import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const TMPFS = 0x01021994

/** An empty folder beside the checkout's files. @throws when it is in memory: a commit would cost nothing there */
export function benchFolder(name: string): string {
  const folder = join(process.cwd(), '.bench', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  if (statfsSync(folder).type === TMPFS) {
    throw new Error(`${folder} is on tmpfs, where an fsync costs nothing; run the bench from a folder on a disk`)
  }
  return folder
}

/** Median microseconds of one 4 KB write with fsync: what FULL pays for each commit on this disk. */
export function fsyncMicroseconds(folder: string): number {
  const path = join(folder, 'fsync')
  const file = openSync(path, 'w')
  const page = Buffer.alloc(4_096)
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now()
    writeSync(file, page)
    fsyncSync(file)
    return performance.now() - start
  })
  closeSync(file)
  rmSync(path)
  return Math.round((times.toSorted((a, b) => a - b)[100] ?? 0) * 1_000)
}
