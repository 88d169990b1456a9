import { DatabaseSync, type StatementSync } from 'node:sqlite'

const BACKLOG = 'SELECT count(*) AS count FROM obverse_queue'
const WAITING = "SELECT count(*) AS count FROM obverse_held WHERE state IN ('retry', 'waiting')"
const IN_HAND = 'SELECT c.id FROM obverse_claim c JOIN obverse_owner o ON o.id = c.owner WHERE o.pid = ?'
const OWNERS = 'SELECT pid FROM obverse_owner'
const STILL = 'SELECT count(*) AS count FROM obverse_queue WHERE id IN (SELECT value FROM json_each(?))'
/** Held rows that will go on by themselves: all but those behind a dead letter. */
const HELD = `SELECT count(*) AS count FROM obverse_held h WHERE state IN ('retry', 'waiting') AND NOT EXISTS
  (SELECT 1 FROM obverse_held d WHERE d.state = 'dead' AND d.handler = h.handler AND d.key = h.key AND d.id < h.id)`
const BEHIND = `SELECT count(*) AS count FROM obverse_checkpoint
  WHERE position < (SELECT coalesce(max(position), 0) FROM obverse_event)`

/** Looks into the files while others write them. */
export class Rows {
  readonly #files: readonly { readonly db: DatabaseSync; readonly statements: Map<string, StatementSync> }[]

  constructor(files: readonly string[]) {
    this.#files = files.map((file) => ({
      db: new DatabaseSync(file, { readOnly: true, timeout: 1_000 }),
      statements: new Map(),
    }))
  }

  /** Messages that wait: queued, in the outbox, held. */
  backlog(): number {
    return this.#files.reduce((sum, _, file) => sum + this.#count(file, BACKLOG), this.#count(0, WAITING))
  }

  /** Queue rows that the process `pid` has, by file. */
  inHand(pid: number): readonly (readonly number[])[] {
    return this.#files.map((_, file) =>
      (this.#statement(file, IN_HAND).all(pid) as { id: number }[]).map(({ id }) => id),
    )
  }

  /** How many of these are left. */
  left(inHand: readonly (readonly number[])[]): number {
    return inHand.reduce(
      (sum, ids, file) => (ids.length > 0 ? sum + this.#count(file, STILL, JSON.stringify(ids)) : sum),
      0,
    )
  }

  /** Nothing is left that would go on by itself, and nobody is on record but the living. */
  quiet(pids: ReadonlySet<number>): boolean {
    if (this.#count(0, HELD) > 0 || this.#count(0, BEHIND) > 0) return false
    return this.#files.every(
      (_, file) =>
        this.#count(file, BACKLOG) === 0 &&
        (this.#statement(file, OWNERS).all() as { pid: number }[]).every(({ pid }) => pids.has(pid)),
    )
  }

  one<T>(sql: string, ...values: (string | number)[]): T | undefined {
    return this.#statement(0, sql).get(...values) as T | undefined
  }

  close(): void {
    for (const { db } of this.#files) db.close()
  }

  #count(file: number, sql: string, ...values: string[]): number {
    return (this.#statement(file, sql).get(...values) as { count: number }).count
  }

  #statement(file: number, sql: string): StatementSync {
    const { db, statements } = this.#files[file] as { db: DatabaseSync; statements: Map<string, StatementSync> }
    const statement = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
}
