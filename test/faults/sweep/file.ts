import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const PARTS = ['', '-wal', '-shm'] as const

/** Copies a database with what belongs to it, in place of what was there. */
export function copy(from: string, to: string, parts: readonly string[] = PARTS): void {
  for (const part of PARTS) rmSync(`${to}${part}`, { force: true })
  for (const part of parts) if (existsSync(`${from}${part}`)) copyFileSync(`${from}${part}`, `${to}${part}`)
}

/** What a file has that is opened again: operations by their state and by their events, and what SQLite finds wrong. */
export interface Found {
  readonly state: readonly string[]
  readonly events: readonly string[]
  readonly queued: readonly number[]
  readonly integrity: string
}

export function look(file: string): Found {
  using db = new DatabaseSync(file)
  const column = <T>(text: string) =>
    db
      .prepare(text)
      .all()
      .map((row) => Object.values(row)[0] as T)
  return {
    state: column('SELECT op_id FROM ledger ORDER BY place'),
    events: column("SELECT data ->> 'opId' FROM obverse_event ORDER BY position"),
    queued: column('SELECT count(*) FROM obverse_queue'),
    integrity: column<string>('PRAGMA integrity_check').join(),
  }
}
