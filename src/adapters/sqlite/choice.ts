import type { Connection } from './connection.ts'
import { type Chosen, FREE, READY } from './queue.ts'

/** Free rows that are looked at in the order of their arrival, at least; what comes after them is found by its key. */
const WINDOW = 400

const OLDEST = `SELECT id, key FROM obverse_queue INDEXED BY obverse_queue_ready
  WHERE channel = ? AND ${READY} AND ${FREE} ORDER BY id LIMIT ?`
const KEYLESS = `SELECT id, key FROM obverse_queue
  WHERE channel = ? AND key IS NULL AND ${READY} AND ${FREE} AND id > ? ORDER BY id LIMIT ?`
const OF_KEY = `SELECT id, key FROM obverse_queue
  WHERE channel = ? AND key = ? AND ${READY} AND ${FREE} AND id > ? ORDER BY id LIMIT ?`
const NEXT_KEY = `SELECT key FROM obverse_queue WHERE channel = ? AND key > ? AND ${READY} ORDER BY key LIMIT 1`
const TAKEN = `SELECT key, max(owner <> ?2) AS elsewhere, count(*) AS count FROM obverse_claim
  WHERE channel = ?1 AND key IS NOT NULL GROUP BY key`

export interface Wish {
  readonly channel: string
  readonly owner: string
  readonly limit: number
  /** Rows of one key that the owner has at once, at most. */
  readonly perKey: number
  /** Keys of which nothing may be taken, besides those that others are at. */
  readonly except?: Iterable<string>
}

/**
 * What an owner may take of a channel: the oldest rows, except of keys that others are at, and of each key only so
 * many that the others have room. However long the run of one key is, the keys behind it are found: by an index, a few
 * at each look, going round.
 */
export class Choice {
  /** The key at which the last look among keys ended. */
  #last = ''

  choose(c: Connection, wish: Wish): Chosen[] {
    const { channel, limit } = wish
    const room = new Room(c, wish)
    const most = Math.max(WINDOW, 2 * limit)
    const first = oldest(c, channel, most)
    const chosen: Chosen[] = []
    for (const row of first) {
      if (chosen.length === limit) return chosen
      if (room.take(row.key)) chosen.push(row)
    }
    const end = first.at(-1)
    if (!end || first.length < most || chosen.length === limit) return chosen
    chosen.push(...c.all<Chosen>(KEYLESS, channel, end.id, limit - chosen.length))
    return this.#byKey(c, wish, room, end.id, chosen)
  }

  /** At most as many keys are in vain as rows are taken, so every look finds what there is. */
  #byKey(c: Connection, { channel, limit }: Wish, room: Room, after: number, chosen: Chosen[]): Chosen[] {
    const first = this.#last
    let round = first === ''
    for (let looks = room.size + limit; looks > 0 && chosen.length < limit; looks -= 1) {
      const next = c.get<{ key: string }>(NEXT_KEY, channel, this.#last)
      if (round && (!next || (first !== '' && next.key > first))) break
      this.#last = next?.key ?? ''
      round ||= !next
      const most = next ? Math.min(room.of(next.key), limit - chosen.length) : 0
      if (next && most > 0) chosen.push(...c.all<Chosen>(OF_KEY, channel, next.key, after, most))
    }
    return chosen
  }
}

/** Free rows in the order of their arrival, whatever their keys. */
export function oldest(c: Connection, channel: string, limit: number): Chosen[] {
  return c.all<Chosen>(OLDEST, channel, limit)
}

/** How many more rows of a key the owner may have. A key that had its fill gets more when half of it is done. */
class Room {
  readonly #perKey: number
  readonly #left = new Map<string, number>()

  constructor(c: Connection, { channel, owner, perKey, except = [] }: Wish) {
    this.#perKey = perKey
    const taken = c.all<{ key: string; elsewhere: number; count: number }>(TAKEN, channel, owner)
    for (const { key, elsewhere, count } of taken) {
      this.#left.set(key, elsewhere || count > perKey / 2 ? 0 : perKey - count)
    }
    for (const key of except) this.#left.set(key, 0)
  }

  get size(): number {
    return this.#left.size
  }

  of(key: string): number {
    return this.#left.get(key) ?? this.#perKey
  }

  take(key: string | null): boolean {
    if (key === null) return true
    const left = this.of(key)
    if (left > 0) this.#left.set(key, left - 1)
    return left > 0
  }
}
