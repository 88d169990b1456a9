import type { Registry } from '../message/registry.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { Breaker } from './breaker.ts'
import type { Broker } from './broker.ts'
import type { Channel } from './channel.ts'
import type { DeadLetters } from './dead-letter.ts'
import type { Deadlines } from './deadline.ts'
import type { HeldRows } from './held.ts'
import type { Inbox } from './inbox.ts'
import type { Item } from './item.ts'
import type { Quarantine } from './quarantine.ts'
import type { Router } from './router.ts'
import type { Tally } from './tally.ts'

/** What every consumer of a process is given. */
export interface ConsumerDependencies {
  readonly runtime: Runtime
  readonly observe: Observer
  readonly registry: Registry
  readonly router: Router
  readonly broker: Broker
  readonly inbox: Inbox
  readonly held: HeldRows
  /** What others refused and this process takes comes back from there. */
  readonly deadLetters: Pick<DeadLetters, 'reclaim'>
  /** Under which this process claims held rows. */
  readonly owner: string
  /** Milliseconds `stop` lets running handlers finish. */
  readonly drain: number
  /** One for the process. */
  readonly quarantine: Quarantine
}

/** One life of a consumer, from its start to its stop: what its parts share. */
export interface Session extends ConsumerDependencies {
  readonly channel: Channel
  readonly breaker: Breaker
  readonly deadlines: Deadlines
  readonly tally: Tally
  /** Set when running handlers were aborted: what they throw from now on is no failure. */
  overdue: boolean
  /** A lane of held rows may have a head that is due: now, or at `at` (epoch ms). */
  readonly heldDue: (at?: number) => void
  /** One part of `item` has ended; true: it was the last one and the item can be settled. */
  readonly endPart: (item: Item) => boolean
  /** Settles items of which all parts have ended. */
  readonly settle: (items: readonly Item[]) => Promise<void>
}

/**
 * Does what must not be left undone (holding a failed message, settling) again and again until it succeeds. Any
 * error counts as an outage here. False: the consumer leaves, and the message comes back.
 */
export async function insist(session: Session, by: object, operation: () => Promise<void>): Promise<boolean> {
  for (let tripped = false; ; tripped = true) {
    try {
      await operation()
      if (tripped) session.breaker.mend(by)
      return true
    } catch (error) {
      if (!(await session.breaker.trip(by, error))) return false
    }
  }
}
