import { isObverseError, type Outcome } from 'obverse'
import { type Appending, append, appendingOf, conflicts } from './append.ts'
import type { Connection } from './connection.ts'
import type { Entrance } from './entry.ts'
import { type Environment, guards } from './environment.ts'
import { isUniqueViolation } from './errors.ts'
import { Group } from './group.ts'
import { lockKeys } from './keys.ts'
import type { Line } from './line.ts'
import { admit, committed, type Member } from './member.ts'
import { all, look } from './standing.ts'
import { commit } from './transaction.ts'
import { Writes } from './writes.ts'

/** Units of one commit. More would make its members wait for each other's rows longer than for a round trip. */
const MOST = 200
/** Times a unit is tried again after somebody else was first with the same message, claim or order of locks. */
const TRIES = 5

interface Waiting {
  readonly member: Member
  readonly appending: Appending | undefined
  readonly resolve: (outcome: Outcome | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Commits units in groups, each unit with its own success or failure. Those that only append go in one statement; those with
 * a delivery, a claim or more than one key in a transaction of two round trips: locks and questions, then everything that
 * is written. If a group fails as a whole, each of its units is tried alone, so that only the guilty one fails. If its
 * connection breaks, every member fails with an outage, and whether it was committed is not known.
 */
export class Units {
  readonly #environment: Environment
  readonly #entrance: Entrance
  readonly #line: Line
  readonly #group: Group<Waiting>
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
      fits: (one, chosen) => {
        const [first] = chosen
        if (!first) return true
        if ((one.appending === undefined) !== (first.appending === undefined)) return false
        return one.appending === undefined || !chosen.some(({ appending }) => appending?.key === one.appending?.key)
      },
      fly: (members) => this.#fly(members),
    })
  }

  /** `undefined` for a member without a unit whose entry is clear. */
  submit(member: Member): Promise<Outcome | undefined> {
    const { entry, unit } = member
    const appending = this.#plain && unit && !entry.delivery && !entry.claim ? appendingOf(unit) : undefined
    return new Promise((resolve, reject) => this.#group.add({ member, appending, resolve, reject }))
  }

  settled(): Promise<void> {
    return this.#group.settled()
  }

  async #fly(waiting: readonly Waiting[]): Promise<void> {
    try {
      if (waiting[0]?.appending) await this.#append(waiting)
      else await this.#commit(waiting)
    } catch (error) {
      if (isObverseError(error) && error.kind === 'outage') for (const { reject } of waiting) reject(error)
      else await this.#oneByOne(waiting, error)
    }
  }

  /** Nothing of the group was kept. */
  async #oneByOne(waiting: readonly Waiting[], error: unknown): Promise<void> {
    if (waiting.length === 1 && !worthAnother(error)) {
      waiting[0]?.reject(error)
      return
    }
    for (const one of waiting) await this.#alone(one)
  }

  async #alone(one: Waiting): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        if (one.appending) await this.#append([one])
        else await this.#commit([one])
        return
      } catch (error) {
        if (worthAnother(error) && tries < TRIES) continue
        one.reject(error)
        return
      }
    }
  }

  async #append(waiting: readonly Waiting[]): Promise<void> {
    const { runtime, news } = this.#environment
    const connection = await this.#line.connection()
    const units = waiting.map(({ appending }) => appending as Appending)
    const bases = await append(connection, units, runtime.now())
    const refused: Waiting[] = []
    for (const [index, one] of waiting.entries()) {
      const base = bases[index]
      const { unit } = one.member
      if (base === undefined || !unit) refused.push(one)
      else
        one.resolve(
          committed(
            unit,
            unit.events.map(({ type, key }, at) => ({ type, key, seq: base + at + 1 })),
          ),
        )
    }
    if (refused.length < waiting.length) news()
    if (refused.length === 0) return
    const errors = await conflicts(
      connection,
      refused.map(({ appending }) => appending as Appending),
    )
    for (const [index, { reject }] of refused.entries()) reject(errors[index])
  }

  async #commit(waiting: readonly Waiting[]): Promise<void> {
    const connection = await this.#line.connection()
    const begun = connection.execute('BEGIN')
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
