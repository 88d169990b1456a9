import type { Connection } from './connection.ts'
import type { OpenFile } from './environment.ts'
import { hostName, processLives } from './host.ts'
import { claimants, giveBackAll } from './queue.ts'

/** By chance, so that one who comes back under its name is not taken for the silent one that it was. */
const ADD = `INSERT INTO obverse_owner (id, host, pid, channel, beat)
  VALUES (?, ?, ?, ?, abs(random() % 1000000000)) ON CONFLICT DO NOTHING`
const REMOVE = 'DELETE FROM obverse_owner WHERE id = ?'
const BEAT = 'UPDATE obverse_owner SET beat = beat + 1 WHERE id IN (SELECT value FROM json_each(?)) RETURNING id'
const ALL = 'SELECT id, host, pid, channel, beat FROM obverse_owner'
const IS_KNOWN = 'SELECT 1 FROM obverse_owner WHERE id = ?'
const STILL = 'SELECT 1 FROM obverse_owner WHERE id = ? AND beat = ?'
const HELD_BY = 'SELECT DISTINCT owner FROM obverse_held WHERE owner IS NOT NULL'
const FREE_HELD = 'UPDATE obverse_held SET owner = NULL, lost = ? WHERE owner = ?'

export interface OwnerRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly channel: string | null
  readonly beat: number
}

/** One kind of rows that owners take. */
export interface Takings {
  /** Whoever has some of them. */
  owners(c: Connection): string[]
  /** Takes everything from an owner, who may have died with it. */
  free(c: Connection, owner: string, died: boolean): void
}

export const queueTakings: Takings = {
  owners: claimants,
  free: (c, owner) => giveBackAll(c, owner),
}

export const heldTakings: Takings = {
  owners: (c) => c.all<{ owner: string }>(HELD_BY).map(({ owner }) => owner),
  free: (c, owner, died) => {
    c.run(FREE_HELD, died ? 1 : 0, owner)
  },
}

/**
 * Who has taken rows, and whether they live. An owner is dead when its process is gone, or when its beat did not
 * change for a lease by the clock of whoever looks: no two clocks are compared, and a jump of the wall clock kills
 * nobody. What a dead owner had is free again; should it wake up, every settlement of it is refused.
 */
export class Owners {
  readonly #environment: OpenFile
  readonly #host: string = hostName()
  /** Owners of this process, and what to do when others have found one dead. */
  readonly #own = new Map<string, () => void>()
  /** Found dead by others, and added again by a claim before a beat could tell. */
  readonly #revived = new Set<string>()
  readonly #seen = new Map<string, { beat: number; since: number }>()
  readonly #onLost: (owner: string) => void
  readonly #takings: readonly Takings[]
  #cancel: (() => void) | undefined

  constructor(environment: OpenFile, takings: readonly Takings[], onLost: (owner: string) => void = () => {}) {
    this.#environment = environment
    this.#takings = takings
    this.#onLost = onLost
  }

  /**
   * Makes an owner known, inside the open transaction, before it takes anything: rows of an owner that nobody knows
   * would never be free again. It may have been found dead a moment ago. `ensured` follows the commit.
   */
  ensure(c: Connection, id: string, channel: string | null = null): void {
    if (c.run(ADD, id, this.#host, process.pid, channel) === 1 && this.#own.has(id)) this.#revived.add(id)
  }

  /** False: others have found it dead; it must take nothing under this name. */
  isKnown(c: Connection, id: string): boolean {
    return c.get(IS_KNOWN, id) !== undefined
  }

  /** From now on it shows signs of life; `lost` is called when others have found it dead all the same. */
  ensured(id: string, lost: () => void = () => {}): void {
    if (this.#revived.delete(id)) this.#onLost(id)
    if (this.#own.has(id)) return
    this.#own.set(id, lost)
    this.#schedule()
  }

  /** Frees what it has and forgets it, inside the open transaction. */
  leave(c: Connection, id: string): void {
    this.#release(c, id, false)
    this.#own.delete(id)
  }

  /** Owners that are not certainly dead. */
  living(c: Connection): OwnerRow[] {
    return c.all<OwnerRow>(ALL).filter((row) => this.#own.has(row.id) || !this.#gone(row))
  }

  /** Frees what the dead have, and what is with an owner that nobody knows: no beat of it could ever fail. */
  async reap(): Promise<void> {
    const { reader, writer } = this.#environment
    const [rows, strangers] = await reader.read((c) => [c.all<OwnerRow>(ALL), this.#strangers(c)] as const)
    const dead = rows.filter((row) => this.#isDead(row))
    const there = new Set(rows.map(({ id }) => id))
    for (const id of this.#seen.keys()) if (!there.has(id)) this.#seen.delete(id)
    if (dead.length === 0 && strangers.length === 0) return
    await writer.submit(() => {
      for (const id of strangers) if (!this.isKnown(writer.connection, id)) this.#release(writer.connection, id, true)
      for (const { id, beat } of dead) {
        // one that has shown a sign of life meanwhile keeps what it has
        if (writer.connection.get(STILL, id, beat)) this.#release(writer.connection, id, true)
      }
    })
  }

  /** Ends the beating and frees everything; what nobody gave back may have begun. */
  async close(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const { writer } = this.#environment
    const own = [...this.#own.keys()]
    if (own.length > 0) {
      await writer.submit(() => {
        for (const id of own) this.#release(writer.connection, id, true)
      })
    }
  }

  #schedule(): void {
    const { runtime, settings } = this.#environment
    this.#cancel ??= runtime.after(Math.min(1_000, settings.lease / 5), () => {
      this.#cancel = undefined
      this.#beat()
        .catch(() => {}) // an outage; whoever works notices it too
        .finally(() => {
          if (this.#own.size > 0) this.#schedule()
        })
    })
  }

  async #beat(): Promise<void> {
    const { writer } = this.#environment
    if (this.#own.size === 0) return
    await writer.submit(
      () => {
        const own = [...this.#own.keys()]
        const known = writer.connection.all<{ id: string }>(BEAT, JSON.stringify(own)).map(({ id }) => id)
        return new Set(own).difference(new Set(known))
      },
      {
        news: false,
        // with the commit: a later claim of the same group may have added the owner again, with what it took
        committed: (missing) => {
          for (const id of missing) this.#dropped(id)
        },
      },
    )
    await this.reap()
  }

  #dropped(id: string): void {
    const lost = this.#own.get(id)
    if (!lost) return
    this.#own.delete(id)
    this.#onLost(id)
    lost()
  }

  #isDead(row: OwnerRow): boolean {
    if (this.#own.has(row.id)) return false
    if (this.#gone(row)) return true
    const now = this.#environment.runtime.elapsed()
    const seen = this.#seen.get(row.id)
    if (seen?.beat === row.beat) return now - seen.since >= this.#environment.settings.lease
    this.#seen.set(row.id, { beat: row.beat, since: now })
    return false
  }

  #gone({ host, pid }: OwnerRow): boolean {
    return host === this.#host && !processLives(pid)
  }

  #strangers(c: Connection): string[] {
    return this.#takings.flatMap((takings) => takings.owners(c)).filter((id) => !this.isKnown(c, id))
  }

  #release(c: Connection, id: string, died: boolean): void {
    for (const takings of this.#takings) takings.free(c, id, died)
    c.run(REMOVE, id)
  }
}
