import { type Entry, envelopesOf, ObverseError, type Outcome, type Unit } from 'obverse'
import { append, conflicts } from './append.ts'
import { type Appending, appendingOf } from './appending.ts'
import type { Connection } from './connection.ts'
import type { Ended, Entrance, Passage } from './entry.ts'
import { type Environment, guards } from './environment.ts'
import { isUniqueViolation } from './errors.ts'
import { lockKeys } from './keys.ts'
import { laneLock } from './lane-lock.ts'
import { admit, committedFrom } from './member.ts'
import type { Settings } from './options.ts'
import { all, lanesOf, look, Standing } from './standing.ts'
import { statement } from './statement.ts'
import { commit } from './transaction.ts'
import type { PostgresViews } from './view.ts'
import { Writes } from './writes.ts'

/** `restart`: takes everything back and begins again; absent once something was asked in the transaction. */
type Work = (connection: Connection, restart: string | undefined) => Promise<Unit>

const LOCK = statement('handler-lock', 'SELECT pg_advisory_lock($1)')
const UNLOCK = statement('handler-unlock', 'SELECT pg_advisory_unlock($1)')

/**
 * Transactions that hold more than a group can: handlers with statements of their own, and units that fill inline views. Each
 * has a connection to itself. Where the isolation is a snapshot, the lane of the message is locked before the snapshot is
 * taken: what the lock's last holder committed is seen.
 */
export class HandlerTransactions {
  readonly #environment: Environment
  readonly #entrance: Entrance
  readonly #views: PostgresViews
  readonly #versions: boolean
  readonly #plain: boolean

  constructor(environment: Environment, entrance: Entrance, views: PostgresViews) {
    this.#environment = environment
    this.#entrance = entrance
    this.#views = views
    this.#versions = guards(environment, 'expected-version')
    this.#plain = this.#versions && guards(environment, 'one-commit')
  }

  /**
   * Begins, checks the entry, works, writes the unit, commits. What `work` throws is thrown after everything was rolled
   * back. A unique mark or claim that somebody else wrote meanwhile is a `CONFLICT`: a second run finds it.
   */
  async run(
    entry: Entry,
    work: Work,
    isolation: Settings['isolation'] = this.#environment.settings.isolation,
  ): Promise<Outcome> {
    const { sessions, news } = this.#environment
    const outcome = await sessions.lend(async (connection) => {
      const locks = lanesOf([entry]).map(({ handler, key }) => laneLock(handler, key))
      try {
        return await this.#inside(connection, entry, locks, isolation, work)
      } catch (error) {
        await connection.execute('ROLLBACK').catch(() => {})
        await unlock(connection, locks).catch(() => {})
        throw raced(error)
      }
    })
    news()
    return outcome
  }

  async #inside(
    connection: Connection,
    entry: Entry,
    locks: readonly string[],
    isolation: Settings['isolation'],
    work: Work,
  ): Promise<Outcome> {
    const asks = entry.delivery !== undefined || entry.claim !== undefined
    const locked = locks.map((lock) => connection.all(LOCK, [lock]))
    const begin = `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`
    const begun = connection.execute(begin)
    const looking = asks ? look(connection, [entry], false) : Promise.resolve(new Standing())
    // without anything to ask, the first statement of the handler travels with BEGIN
    if (asks) await all([...locked, begun, looking])
    else begun.catch(() => {})
    const standing = await looking
    const passage = this.#entrance.check(entry, standing)
    if (passage.ended) return this.#settle(connection, locks, passage, passage.ended)
    const unit = await work(connection, asks ? undefined : `ROLLBACK; ${begin}`)
    await begun
    return this.#keep(connection, locks, entry, unit, passage, standing)
  }

  async #settle(connection: Connection, locks: readonly string[], passage: Passage, ended: Ended): Promise<Outcome> {
    const writes = new Writes(this.#environment)
    writes.passage(passage)
    await all([...writes.send(connection), end(connection, locks)])
    return ended
  }

  async #keep(
    connection: Connection,
    locks: readonly string[],
    entry: Entry,
    unit: Unit,
    passage: Passage,
    standing: Standing,
  ): Promise<Outcome> {
    const appending = this.#plain && !entry.claim && !unit.project ? appendingOf(unit) : undefined
    if (appending) return this.#append(connection, locks, entry, unit, passage, appending)
    const writes = new Writes(this.#environment)
    const seqs = await lockKeys(connection, [unit])
    const outcome = admit({ entry, unit }, this.#entrance, standing, seqs, writes, this.#versions)
    if (outcome?.kind !== 'committed')
      throw new ObverseError('CONFLICT', `${entry.name} was entered twice; run it again`)
    const sent = writes.send(connection)
    if (unit.project && outcome.events.length > 0) {
      await all(sent)
      await unit.project(
        envelopesOf(unit.events, outcome.events, this.#environment.registry),
        this.#views.within(connection),
      )
      await end(connection, locks)
    } else {
      await all([...sent, end(connection, locks)])
    }
    await writes.later(connection)
    return outcome
  }

  /** Events of one key, at whatever version it is, go with the commit: nothing has to be known of them before. */
  async #append(
    connection: Connection,
    locks: readonly string[],
    { delivery, tracked }: Entry,
    unit: Unit,
    passage: Passage,
    appending: Appending,
  ): Promise<Outcome> {
    const writes = new Writes(this.#environment)
    writes.passage(passage)
    if (tracked && delivery) writes.done(delivery.envelope.id, unit.result)
    const appended = append(connection, [appending], this.#environment.runtime.now())
    const sent = writes.send(connection)
    const ended = appending.expected === null && end(connection, locks)
    await all([appended, ...sent, ...(ended ? [ended] : [])])
    const [base] = await appended
    if (base === undefined) throw (await conflicts(connection, [appending]))[0]
    if (!ended) await end(connection, locks)
    return committedFrom(unit, base)
  }
}

/**
 * Commits, and gives the lanes back in the same flight: a process that froze in between would have them for as long as it is
 * frozen, and no limit of the server is for a session without a transaction.
 */
async function end(connection: Connection, locks: readonly string[]): Promise<void> {
  await all([commit(connection), unlock(connection, locks)])
}

async function unlock(connection: Connection, locks: readonly string[]): Promise<void> {
  await Promise.all(locks.map((lock) => connection.all(UNLOCK, [lock])))
}

/** Two transactions with one message or one claim: the second finds what the first has written. */
function raced(error: unknown): unknown {
  if (!isUniqueViolation(error, 'obverse_inbox') && !isUniqueViolation(error, 'obverse_answer')) return error
  return new ObverseError(
    'CONFLICT',
    'Somebody else was first with the same message or idempotency key; run it again',
    {
      cause: error,
    },
  )
}
