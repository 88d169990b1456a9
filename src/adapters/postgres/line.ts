import { ObverseError } from 'obverse'
import type { Connection } from './connection.ts'
import type { Kept, Sessions } from './pool.ts'
import type { Statement } from './statement.ts'

/** Uses after which plans are made anew, and again after twice as many, until that is often enough. */
const FIRST_PLANS = 16
const LAST_PLANS = 65_536

/**
 * One connection that all share for short statements, each a transaction of its own: they travel together and are
 * answered in order. A line that breaks is laid anew by the next statement.
 */
export class Line {
  readonly #sessions: Sessions
  #kept: Promise<Kept> | undefined
  #closed = false
  #uses = 0
  #replan = FIRST_PLANS

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  async all<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> {
    return (await this.connection()).all<Row>(statement, values)
  }

  async get<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row | undefined> {
    return (await this.connection()).get<Row>(statement, values)
  }

  async run(statement: Statement, values?: readonly unknown[]): Promise<number> {
    return (await this.connection()).run(statement, values)
  }

  /** @throws {ObverseError} `STORE_CLOSED`, `STORE_UNREACHABLE` */
  async connection(): Promise<Connection> {
    if (this.#closed) throw new ObverseError('STORE_CLOSED', `The store on ${this.#sessions.server} has been closed`)
    this.#kept ??= this.#lay()
    const { connection } = await this.#kept
    this.#uses += 1
    if (this.#uses === this.#replan) this.#planAnew(connection)
    return connection
  }

  async close(): Promise<void> {
    this.#closed = true
    const kept = await this.#kept?.catch(() => undefined)
    kept?.end()
  }

  /** A plan knows how large the tables were when it was made, and a new application begins with empty ones. */
  #planAnew(connection: Connection): void {
    this.#replan += Math.min(this.#replan, LAST_PLANS)
    connection.execute('DISCARD PLANS').catch(() => {}) // whoever works with the connection notices
  }

  #lay(): Promise<Kept> {
    // one that was lost may say so when the next is laid already
    const mine: Promise<Kept> = this.#open(() => {
      if (this.#kept === mine) this.#kept = undefined
    })
    return mine
  }

  async #open(lost: () => void): Promise<Kept> {
    let kept: Kept | undefined
    try {
      kept = await this.#sessions.keep(lost)
      // statements of ours have one plan, whatever the lengths of their arrays. It may have been made while a table was
      // empty, when reading all of it costs nothing, and is kept while it grows. What has to be read whole all the same looks
      // so dear then that it would be compiled each time, for half a second and more
      await kept.connection.execute(
        `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off;
         SET default_transaction_isolation = 'read committed'`,
      )
      return kept
    } catch (error) {
      kept?.end()
      lost()
      throw error
    }
  }
}
