import { hostname } from 'node:os'
import { kindOf } from 'obverse'
import type { Environment } from './environment.ts'
import { isUniqueViolation } from './errors.ts'
import { statement } from './statement.ts'

const ADD = statement(
  'owner-add',
  `INSERT INTO obverse_owner (id, host, pid, channel, lease) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (id) DO UPDATE SET beat = clock_timestamp()`,
)
const BEAT = statement(
  'owner-beat',
  'UPDATE obverse_owner SET beat = clock_timestamp() WHERE id = ANY ($1::text[]) RETURNING id',
)
const SILENT = `beat + lease * interval '1 millisecond' < clock_timestamp()`
const LIVING = statement('owner-living', `SELECT id, channel FROM obverse_owner WHERE NOT (${SILENT})`)
/** One that shows a sign of life at this moment is not deleted. */
const BURY = statement('owner-bury', `DELETE FROM obverse_owner WHERE ${SILENT} AND id <> ALL ($1::text[])`)
/** Whoever is in the middle of a settlement has locked its rows: it ends it, or its session does; a later look frees them. */
const FREE = statement(
  'owner-free',
  `WITH queued AS (DELETE FROM obverse_claim WHERE id = ANY (ARRAY(SELECT c.id FROM obverse_claim c
       WHERE NOT EXISTS (SELECT FROM obverse_owner o WHERE o.id = c.owner) FOR UPDATE OF c SKIP LOCKED)) RETURNING id),
   taken AS (UPDATE obverse_queue SET taken = true WHERE id = ANY (ARRAY(SELECT id FROM queued)) RETURNING 1),
   held AS (UPDATE obverse_held SET owner = NULL, lost = true WHERE id = ANY (ARRAY(SELECT h.id FROM obverse_held h
       WHERE h.owner IS NOT NULL AND NOT EXISTS (SELECT FROM obverse_owner o WHERE o.id = h.owner)
       FOR UPDATE OF h SKIP LOCKED)) RETURNING 1)
   SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM held) AS count`,
)
const LEAVE = statement(
  'owner-leave',
  `WITH gone AS (DELETE FROM obverse_owner WHERE id = ANY ($1::text[])),
   queued AS (DELETE FROM obverse_claim WHERE id = ANY (ARRAY(SELECT c.id FROM obverse_claim c
       WHERE c.owner = ANY ($1::text[]) FOR UPDATE OF c SKIP LOCKED)) RETURNING id),
   taken AS (UPDATE obverse_queue SET taken = true WHERE id = ANY (ARRAY(SELECT id FROM queued))),
   held AS (UPDATE obverse_held SET owner = NULL, lost = lost OR $2 WHERE id = ANY (ARRAY(SELECT h.id FROM obverse_held h
       WHERE h.owner = ANY ($1::text[]) FOR UPDATE OF h SKIP LOCKED)))
   SELECT count(*) FROM queued`,
)
/** At most one row can say so. Of two who try at once the second fails. */
const LEAD = statement(
  'owner-lead',
  `UPDATE obverse_owner SET leads = true WHERE id = $1 AND NOT EXISTS (SELECT FROM obverse_owner WHERE leads)`,
)

/**
 * Who has taken rows, and whether they live: by the clock of the database alone, which no host's clock is compared with. An
 * owner that was silent for its lease is dead, and what it had is free again; should it wake up, every settlement of it is
 * refused, for it has no claim any more.
 */
export class Owners {
  readonly #environment: Environment
  readonly #host: string = hostname()
  /** Owners of this process, and what to do when others have found one dead. */
  readonly #own = new Map<string, () => void>()
  readonly #onLost: (owner: string) => void
  #cancel: (() => void) | undefined
  #closed = false

  constructor(environment: Environment, onLost: (owner: string) => void = () => {}) {
    this.#environment = environment
    this.#onLost = onLost
  }

  /**
   * Makes an owner known before it takes anything: rows of an owner that nobody knows are free. From now on it shows signs of
   * life; `lost` is called when others have found it dead all the same.
   */
  async ensure(id: string, channel: string | null = null, lost: () => void = () => {}): Promise<void> {
    if (this.#own.has(id)) return
    const { writer, settings } = this.#environment
    await writer.run(ADD, [id, this.#host, process.pid, channel, Math.ceil(settings.lease)])
    this.#own.set(id, lost)
    this.#schedule()
  }

  /** Frees what it has and forgets it: what was given back did not begin. */
  async leave(id: string): Promise<void> {
    this.#own.delete(id)
    await this.#leave([id], false)
  }

  /** True: it leads now. One at a time does, until it is dead or has left. */
  async lead(id: string): Promise<boolean> {
    try {
      return (await this.#environment.writer.run(LEAD, [id])) > 0
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw error
    }
  }

  /** Others have found it dead: what it had is not its own any more. */
  drop(id: string): void {
    const lost = this.#own.get(id)
    if (!lost) return
    this.#own.delete(id)
    this.#onLost(id)
    lost()
  }

  async living(): Promise<readonly { readonly id: string; readonly channel: string | null }[]> {
    return this.#environment.reader.all(LIVING)
  }

  /** Frees what the dead have, and what is with an owner that nobody knows. */
  async reap(): Promise<void> {
    const { writer, news } = this.#environment
    const [, freed] = await Promise.all([
      writer.run(BURY, [[...this.#own.keys()]]),
      writer.get<{ count: number }>(FREE),
    ])
    if (freed && freed.count > 0) news()
  }

  /** Ends the beating and frees everything; what nobody gave back may have begun. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.#cancel = undefined
    const own = [...this.#own.keys()]
    this.#own.clear()
    if (own.length > 0) await this.#leave(own, true)
  }

  async #leave(ids: readonly string[], died: boolean): Promise<void> {
    const { writer, news } = this.#environment
    try {
      await writer.all(LEAVE, [ids, died])
    } catch (error) {
      if (kindOf(error) !== 'outage') throw error
      return // whoever is silent is dead soon
    }
    news()
  }

  #schedule(): void {
    if (this.#closed || this.#own.size === 0) return
    const { runtime, settings } = this.#environment
    this.#cancel ??= runtime.after(Math.min(1_000, settings.lease / 5), () => {
      this.#cancel = undefined
      this.#beat()
        .catch(() => {}) // an outage; whoever works notices it too
        .finally(() => this.#schedule())
    })
  }

  async #beat(): Promise<void> {
    const own = [...this.#own.keys()]
    const known = await this.#environment.writer.all<{ id: string }>(BEAT, [own])
    for (const id of new Set(own).difference(new Set(known.map(({ id }) => id)))) this.drop(id)
    await this.reap()
  }
}
