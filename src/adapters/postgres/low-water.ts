import { Ceiling } from './ceiling.ts'
import type { Environment } from './environment.ts'
import { inOrder } from './queue.ts'
import { statement } from './statement.ts'

/** Milliseconds between looks. */
const EVERY = 250

const FIRST = statement(
  'low-first',
  `SELECT asked.channel, (SELECT q.id FROM obverse_queue q WHERE ${inOrder('asked')} LIMIT 1) AS id
   FROM unnest($1::text[], $2::bigint[]) AS asked(channel, low)`,
)

/**
 * From which id on a channel has rows, so that no look reads what was settled and is not vacuumed yet: an old snapshot
 * somewhere can keep hours of it. Nothing is missed below: rows never become ready under an id that was not ready before.
 */
export class LowWater {
  readonly #environment: Environment
  readonly #ceiling = new Ceiling('obverse_queue', 'obverse_queue_number')
  readonly #lows = new Map<string, number>()
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
    if (!(await this.#ceiling.look(reader))) {
      this.#lows.clear()
      return
    }
    const most = this.#ceiling.value + 1
    const channels = [...this.#lows.keys()]
    if (channels.length === 0) return
    const lows = [...this.#lows.values()]
    const firsts = await reader.all<{ channel: string; id: number | null }>(FIRST, [channels, lows])
    for (const { channel, id } of firsts) this.#lows.set(channel, Math.min(id ?? most, most))
  }
}
