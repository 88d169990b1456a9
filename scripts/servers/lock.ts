import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs `work` while no other process, and nothing else in this one, holds the same file. The lock is the operating
 * system's and ends with its process, so that nobody ever has to decide whether one is stale.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    while (!held(database)) await sleep(25)
    return await work()
  } finally {
    database.close()
  }
}

function held(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode === 5) return false // SQLITE_BUSY
    throw error
  }
}
