import { isObverseError, type Outcome } from 'obverse'
import { append, conflicts } from './append.ts'
import { type Appending, appendingOf, ofOneKind } from './appending.ts'
import type { Connection } from './connection.ts'
import type { Entrance } from './entry.ts'
import { type Environment, guards } from './environment.ts'
import { isLockTimeout, isUniqueViolation } from './errors.ts'
import { Group } from './group.ts'
import { lockKeys } from './keys.ts'
import { keysOf, Late, LOCK_PATIENCE, lockedKeys } from './late.ts'
import type { Line } from './line.ts'
import { admit, committedFrom, type Member } from './member.ts'
import { all, look } from './standing.ts'
import { commit } from './transaction.ts'
import { Writes } from './writes.ts'

/** Units of one commit. More would make its members wait for each other's rows longer than for a round trip. */
const MOST = 200
/** Times a unit is tried again after somebody else was first with the same message, claim or order of locks. */
const TRIES = 5
/** Connections of the pool that wait for locked keys at once, at most, and those that are never taken for it. */
const LATE = 4
const SPARED = 5
/** Milliseconds that each of them waits for one key before it turns to the next. */
const LATE_TURN = 1_000

interface Waiting {
  readonly member: Member
  readonly appending: Appending | undefined
  readonly resolve: (outcome: Outcome | undefined) => void
  readonly reject: (error: unknown) => void
  /** Its group has failed on a lock before, which was none that could be seen. */
  readonly again?: true
  /** When it was found that one of its keys is locked. */
  readonly since?: number
}

interface Flight {
  /** Commits all of them on one connection, and tells each how it has ended. Throws what all have failed with. */
  run(waiting: readonly Waiting[]): Promise<void>
  /** A lock was not had in time. */
  locked(waiting: readonly Waiting[], error: unknown): Promise<void>
}

/**
 * Commits units in groups, each unit with its own success or failure. Those that only append go in one statement; those with
 * a delivery, a claim or more than one key in a transaction of two round trips: locks and questions, then everything that
 * is written. If a group fails as a whole, each of its units is tried alone, so that only the guilty one fails. If its
 * connection breaks, every member fails with an outage, and whether it was committed is not known. Units of a key that
 * somebody has locked for long wait for it on connections of their own, and the others go on.
 */
export class Units {
  readonly #environment: Environment
  readonly #entrance: Entrance
  readonly #line: Line
  readonly #group: Group<Waiting>
  readonly #late: Late<Waiting>
  /** On one connection that all share, which therefore does not wait for locks. */
  readonly #onLine: Flight = {
    run: async (waiting) => {
      const connection = await this.#line.connection()
      if (!this.#impatient.has(connection)) {
        this.#impatient.add(connection)
        await connection.execute(`SET lock_timeout = ${LOCK_PATIENCE}`)
      }
      if (waiting[0]?.appending) await this.#append(connection, waiting)
      else await this.#commit(connection, waiting)
    },
    locked: (waiting, error) =>
      this.#apart(waiting).catch(() => {
        for (const { reject } of waiting) reject(error)
      }),
  }
  readonly #impatient = new WeakSet<Connection>()
  readonly #versions: boolean
  readonly #plain: boolean

  constructor(environment: Environment, entrance: Entrance, line: Line) {
    this.#environment = environment
    this.#entrance = entrance
    this.#line = line
    this.#versions = guards(environment, 'expected-version')
    this.#plain = this.#versions && guards(environment, 'one-commit')
    this.#group = new Group<Waiting>({
      limit: MOST,
      flights: 1,
      choice: ofOneKind,
      fly: (members) => this.#fly(members, this.#onLine),
    })
    this.#late = new Late<Waiting>({
      flights: Math.max(1, Math.min(LATE, environment.sessions.size - SPARED)),
      keysOf: ({ member }) => keysOf(member),
      fly: (members) => this.#flyLate(members),
    })
  }

  /** `undefined` for a member without a unit whose entry is clear. */
  submit(member: Member): Promise<Outcome | undefined> {
    const { entry, unit } = member
    const appending = this.#plain && unit && !entry.delivery && !entry.claim ? appendingOf(unit) : undefined
    return new Promise((resolve, reject) => {
      const waiting = { member, appending, resolve, reject }
      if (this.#late.wants(waiting)) this.#addLate([waiting])
      else this.#group.add(waiting)
    })
  }

  async settled(): Promise<void> {
    await this.#group.settled()
    await this.#late.settled()
  }

  async #fly(waiting: readonly Waiting[], flight: Flight): Promise<void> {
    try {
      await flight.run(waiting)
    } catch (error) {
      if (isLockTimeout(error)) await flight.locked(waiting, error)
      else if (isObverseError(error) && error.kind === 'outage') for (const { reject } of waiting) reject(error)
      else await this.#oneByOne(waiting, error, flight)
    }
  }

  /** Nothing of the group was kept. */
  async #oneByOne(waiting: readonly Waiting[], error: unknown, flight: Flight): Promise<void> {
    if (waiting.length === 1 && !worthAnother(error)) {
      waiting[0]?.reject(error)
      return
    }
    for (const one of waiting) await this.#alone(one, flight)
  }

  async #alone(one: Waiting, flight: Flight): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await flight.run([one])
      } catch (error) {
        if (worthAnother(error) && tries < TRIES) continue
        if (isLockTimeout(error)) await flight.locked([one], error)
        else one.reject(error)
        return
      }
    }
  }

  /** Somebody holds a lock for long. Those whose keys are free try again with the others; the rest wait by themselves. */
  async #apart(waiting: readonly Waiting[]): Promise<void> {
    const connection = await this.#line.connection()
    const keys = waiting.flatMap(({ member }) => keysOf(member))
    const locked = await lockedKeys(connection, keys)
    const isFree = ({ again, member }: Waiting) => !again && !keysOf(member).some((key) => locked.has(key))
    for (const one of waiting.filter(isFree)) this.#group.add({ ...one, again: true })
    this.#addLate(waiting.filter((one) => !isFree(one)))
  }

  #addLate(waiting: readonly Waiting[]): void {
    const since = this.#environment.runtime.elapsed()
    this.#late.add(...waiting.map((one) => ({ since, ...one })))
  }

  async #flyLate(waiting: readonly Waiting[]): Promise<void> {
    const { sessions, settings, runtime } = this.#environment
    const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${LATE_TURN}`
    const locked: Flight['locked'] = async (some, error) => {
      const isOver = ({ since = 0 }: Waiting) => runtime.elapsed() - since >= settings.answerTimeout
      for (const one of some.filter(isOver)) one.reject(error)
      this.#late.add(...some.filter((one) => !isOver(one)))
    }
    try {
      await sessions.lend((connection) =>
        this.#fly(waiting, { run: (some) => this.#commit(connection, some, begin), locked }),
      )
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }

  async #append(connection: Connection, waiting: readonly Waiting[]): Promise<void> {
    const { runtime, news } = this.#environment
    const units = waiting.map(({ appending }) => appending as Appending)
    const bases = await append(connection, units, runtime.now())
    const refused: Waiting[] = []
    for (const [index, one] of waiting.entries()) {
      const base = bases[index]
      const { unit } = one.member
      if (base === undefined || !unit) refused.push(one)
      else one.resolve(committedFrom(unit, base))
    }
    if (refused.length < waiting.length) news()
    if (refused.length === 0) return
    const errors = await conflicts(
      connection,
      refused.map(({ appending }) => appending as Appending),
    )
    for (const [index, { reject }] of refused.entries()) reject(errors[index])
  }

  async #commit(
    connection: Connection,
    waiting: readonly Waiting[],
    begin: string = 'BEGIN ISOLATION LEVEL READ COMMITTED',
  ): Promise<void> {
    const begun = connection.execute(begin)
    const ends: (() => void)[] = []
    try {
      const members = waiting.map(({ member }) => member)
      const looking = look(
        connection,
        members.map(({ entry }) => entry),
        true,
      )
      const locking = lockKeys(
        connection,
        members.map(({ unit }) => unit),
      )
      await all([begun, looking, locking])
      const writes = new Writes(this.#environment)
      const [standing, seqs] = [await looking, await locking]
      for (const { member, resolve, reject } of waiting) {
        try {
          const outcome = admit(member, this.#entrance, standing, seqs, writes, this.#versions)
          ends.push(() => resolve(outcome))
        } catch (error) {
          ends.push(() => reject(error))
        }
      }
      await all([...writes.send(connection), commit(connection)])
      await writes.later(connection)
    } catch (error) {
      await rollback(connection)
      throw error
    }
    for (const end of ends) end()
    this.#environment.news()
  }
}

async function rollback(connection: Connection): Promise<void> {
  await connection.execute('ROLLBACK').catch(() => {})
}

/** Somebody else was first with the same mark or claim, or two groups waited for each other: a second look tells. */
function worthAnother(error: unknown): boolean {
  return (
    isUniqueViolation(error, 'obverse_inbox') ||
    isUniqueViolation(error, 'obverse_answer') ||
    isObverseError(error, 'CONFLICT')
  )
}
