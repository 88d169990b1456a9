import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kind, ServerName } from './name.ts'
import type { KnownProcess } from './process.ts'

/** How a server was had: `url` is the user's own, which is never started, stopped or killed. */
export type Way = 'url' | 'programs' | 'root' | 'compose' | 'stand-in'

/** What is known about a server, in its folder and as JSON for others. */
export interface ServerRecord {
  readonly name: ServerName
  readonly kind: Kind
  readonly way: Way
  readonly what: 'server' | 'stand-in'
  readonly from: string
  readonly url: string
  /** RabbitMQ's HTTP API, credentials included. */
  readonly management?: string
  readonly version: string
  /** Milliseconds of the last start. */
  readonly startedIn: number
  readonly folder?: string
  readonly ports: Readonly<Record<string, number>>
  readonly secret: string
  /** Its processes that are known from outside, by role; without those that are in a container. */
  readonly processes: Readonly<Record<string, KnownProcess>>
}

export function readRecord(folder: string): ServerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Readers see the record before or after, never half of it. */
export function writeRecord(folder: string, record: ServerRecord): void {
  const file = join(folder, 'server.json')
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(record, null, 2), { mode: 0o600 })
  renameSync(fresh, file)
}
