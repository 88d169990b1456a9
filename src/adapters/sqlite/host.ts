import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Where process ids mean the same: the machine, and on Linux its pid namespace, since containers that share a file
 * may share a host name too.
 */
export function hostName(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** False only when it is certain that the process is gone. */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
