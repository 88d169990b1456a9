import { Heap } from './heap.ts'
import type { HeldEntry } from './held-table.ts'
import type { Lane, QueueRow } from './queue.ts'

/** Whoever has taken rows: a subscription, a relay, a consumer's claims of held rows. */
export interface Owner {
  readonly id: string
  /** The opened store it works through; what is taken lapses with it. */
  readonly home: object
  /** `runtime.elapsed()` at which it counts as dead unless it is renewed. */
  expires: number
  alive: boolean
  /** A subscription: it lives while it has nothing, too. */
  subscribed: boolean
  readonly rows: Set<QueueRow>
  readonly held: Set<HeldEntry>
  /** Lanes that it has rows of, by their next row. */
  readonly lanes: Heap<Lane>
}

export function owner(id: string, home: object, expires: number): Owner {
  return { id, home, expires, alive: true, subscribed: false, rows: new Set(), held: new Set(), lanes: new Heap() }
}
