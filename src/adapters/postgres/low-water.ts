import type { Environment } from './environment.ts'
import { inOrder } from './queue.ts'
import { statement } from './statement.ts'

/** Milliseconds between looks. */
const EVERY = 250

const DRAWN = statement('low-drawn', 'SELECT last_value AS id FROM obverse_queue_number')
/** Whoever adds rows holds this lock from before the first id is drawn until the end of the transaction. */
const ADDING = statement(
  'low-adding',
  `SELECT DISTINCT virtualtransaction AS id FROM pg_locks
   WHERE locktype = 'relation' AND relation = 'obverse_queue'::regclass AND mode = 'RowExclusiveLock'
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
)
const FIRST = statement(
  'low-first',
  `SELECT asked.channel, (SELECT q.id FROM obverse_queue q WHERE ${inOrder('asked')} LIMIT 1) AS id
   FROM unnest($1::text[], $2::bigint[]) AS asked(channel, low)`,
)

/**
 * From which id on a channel has rows, so that no look reads what was settled and is not vacuumed yet: an old snapshot
 * somewhere can keep hours of it. It is proven, not guessed: everybody who could still commit a row below has ended, and
 * rows never become ready again under an old id.
 */
export class LowWater {
  readonly #environment: Environment
  readonly #lows = new Map<string, number>()
  /** Every row up to here is visible or will never be. */
  #proven = 0
  #candidate: { readonly id: number; adding: ReadonlySet<string> } | undefined
  #looked = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  constructor(environment: Environment) {
    this.#environment = environment
  }

  of(channel: string): number {
    const low = this.#lows.get(channel)
    if (low === undefined) this.#lows.set(channel, 0)
    return low ?? 0
  }

  /** A look now and then, on whose way nobody waits. */
  hint(): void {
    const now = this.#environment.runtime.elapsed()
    if (this.#looking || now - this.#looked < EVERY) return
    this.#looked = now
    this.#looking = this.look()
      .catch(() => {}) // an outage; whoever works notices it too
      .finally(() => {
        this.#looking = undefined
      })
  }

  async look(): Promise<void> {
    const { reader } = this.#environment
    // in this order: who draws an id after the first answer is no concern of the second
    const [drawn, rows] = await Promise.all([reader.get<{ id: number }>(DRAWN), reader.all<{ id: string }>(ADDING)])
    const adding = new Set(rows.map(({ id }) => id))
    const before = this.#candidate
    const still = before ? before.adding.intersection(adding) : adding
    if (before && still.size > 0) {
      before.adding = still
      return
    }
    this.#candidate = { id: drawn?.id ?? 0, adding }
    if (!before || before.id === this.#proven) return
    this.#proven = before.id
    await this.#raise()
  }

  async #raise(): Promise<void> {
    const channels = [...this.#lows.keys()]
    if (channels.length === 0) return
    const lows = [...this.#lows.values()]
    const firsts = await this.#environment.reader.all<{ channel: string; id: number | null }>(FIRST, [channels, lows])
    for (const { channel, id } of firsts) this.#lows.set(channel, Math.min(id ?? this.#proven + 1, this.#proven + 1))
  }
}
