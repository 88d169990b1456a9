import type { Connection } from './connection.ts'
import type { Member } from './member.ts'
import { statement } from './statement.ts'

/**
 * Milliseconds that a group waits for a lock. Commits of ours hold theirs for the time of a round trip; a transaction that the
 * application has opened may hold the key of its events for as long as it likes, and nobody else is to wait for it.
 */
export const LOCK_PATIENCE = 200

const LOCKED = statement(
  'late-locked',
  `WITH free AS (SELECT key FROM obverse_key WHERE key = ANY ($1::text[]) FOR NO KEY UPDATE SKIP LOCKED)
   SELECT key FROM obverse_key WHERE key = ANY ($1::text[]) AND key <> ALL (ARRAY(SELECT key FROM free))`,
)

/** Which of the keys somebody has locked, as far as they can be seen: not one that is new and not committed. */
export async function lockedKeys(connection: Connection, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await connection.all<{ key: string }>(LOCKED, [[...new Set(keys)]])
  return new Set(rows.map(({ key }) => key))
}

/** Every key that the member's commit locks. */
export function keysOf({ unit }: Member): readonly string[] {
  if (!unit) return []
  return [...new Set([...unit.events.map(({ key }) => key), ...(unit.expected?.keys() ?? [])])]
}

export interface LateOptions<M> {
  /** Flights at once. */
  readonly flights: number
  readonly keysOf: (member: M) => readonly string[]
  /** Ends every member, or adds it once more; must not reject. */
  readonly fly: (members: readonly M[]) => Promise<void>
}

/** Who waits for keys that somebody has locked: one flight for each key, with everybody who wants that key, in turn. */
export class Late<M> {
  readonly #options: LateOptions<M>
  #waiting: M[] = []
  readonly #flying = new Set<string>()
  #flights = 0
  #landed: (() => void)[] = []

  constructor(options: LateOptions<M>) {
    this.#options = options
  }

  add(...members: readonly M[]): void {
    this.#waiting.push(...members)
    this.#start()
  }

  /** True: somebody waits for one of its keys already. */
  wants(member: M): boolean {
    if (this.#flights === 0 && this.#waiting.length === 0) return false
    const { keysOf } = this.#options
    const keys = keysOf(member)
    return this.#isFlying(keys) || this.#waiting.some((one) => keysOf(one).some((key) => keys.includes(key)))
  }

  /** Resolves when nobody waits and nothing flies. */
  async settled(): Promise<void> {
    while (this.#flights > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#landed.push(resolve)
      })
    }
  }

  #start(): void {
    const { flights, keysOf, fly } = this.#options
    while (this.#flights < flights) {
      const first = this.#waiting.find((one) => !this.#isFlying(keysOf(one)))
      if (!first) return
      const keys = keysOf(first)
      const chosen = this.#waiting.filter((one) => one === first || keysOf(one).some((key) => keys.includes(key)))
      this.#waiting = this.#waiting.filter((one) => !chosen.includes(one))
      this.#flights += 1
      for (const key of keys) this.#flying.add(key)
      void fly(chosen).finally(() => {
        this.#flights -= 1
        for (const key of keys) this.#flying.delete(key)
        this.#start()
        const landed = this.#landed
        this.#landed = []
        for (const tell of landed) tell()
      })
    }
  }

  #isFlying(keys: readonly string[]): boolean {
    return keys.some((key) => this.#flying.has(key))
  }
}
