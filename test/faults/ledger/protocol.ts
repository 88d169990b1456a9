import type { FaultPoint, Protection, Roles } from 'obverse'
import type { Op } from './messages.ts'
import type { Stores } from './stores.ts'

export type Role = 'api' | 'consumer' | 'relay'

export const ROLES: Readonly<Record<Role, Roles>> = {
  api: { relay: false, consume: false, project: false },
  consumer: { relay: false, consume: true, project: true },
  relay: { relay: true, consume: false, project: false },
}

/** Where a process ends itself. */
export interface Crash {
  /** At one of these … */
  readonly points: readonly FaultPoint[]
  /** … but only where this one was passed since the last commit … */
  readonly following?: FaultPoint
  /** … the nth time. */
  readonly nth: number
  /** Stops, and waits to be continued, in place of ending. */
  readonly stop?: boolean
}

/** Taken away from the ledger itself: it lets a command that fails commit all the same. */
export type Removed = Protection | 'rollback'

/** What a process is told by the variable `LEDGER` of its environment. */
export interface Assignment {
  readonly role: Role
  readonly stores: Stores
  readonly partitions: number
  /** A server is struck: it is no mistake that something cannot be reached. */
  readonly outages: boolean
  readonly without: readonly Removed[]
  readonly crash?: Crash
  readonly seed: number
}

export type Order =
  /** Open and run. Not armed: the crash of the assignment does not happen. */
  | { readonly do: 'go'; readonly armed: boolean }
  | { readonly do: 'arm'; readonly armed: boolean }
  /** What handlers depend on is away, or back. */
  | { readonly do: 'dependency'; readonly away: boolean }
  /** Handlers give up whatever they get, or no longer. */
  | { readonly do: 'refuse'; readonly all: boolean }
  /** Sends every dead letter to its handler again. */
  | { readonly do: 'retry' }
  | { readonly do: 'send'; readonly op: Op }
  /** Asks for every dead letter. */
  | { readonly do: 'letters' }
  /** Gives every dead letter up for good. */
  | { readonly do: 'skip' }
  /** Asks how many deliveries it has that it has not acknowledged. */
  | { readonly do: 'count' }
  | { readonly do: 'stop' }

/** A message that was given up, as an operator sees it. */
export interface Letter {
  readonly code: string
  readonly body: string
}

export type Notice =
  | { readonly is: 'loaded' | 'ready' | 'redelivered' | 'returned' | 'lost' | 'dead' | 'stopping' | 'resumed' }
  /** A part could not reach something, and tries again. */
  | { readonly is: 'outage' }
  /** Its command has failed, as it should. */
  | { readonly is: 'undone'; readonly opId: string }
  /** An attempt was spent on a message that does not fail by itself. */
  | { readonly is: 'spent'; readonly what: string }
  | { readonly is: 'answered'; readonly opId: string; readonly number: number }
  /** Nothing is known of it, or somebody else was faster: to be sent again. */
  | { readonly is: 'again'; readonly opId: string }
  | { readonly is: 'refused'; readonly opId: string; readonly reason: string }
  | { readonly is: 'letters'; readonly letters: readonly Letter[] }
  /** Deliveries that were taken and not acknowledged. */
  | { readonly is: 'open'; readonly count: number }
  /** Something that should not happen under these faults. */
  | { readonly is: 'odd'; readonly what: string }
