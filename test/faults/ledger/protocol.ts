import type { FaultPoint, Protection, Roles } from 'obverse'
import type { Op } from './messages.ts'

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

/** What a process is told by the variable `LEDGER` of its environment. */
export interface Assignment {
  readonly role: Role
  readonly file: string
  /** The file of the broker, where there is one apart. */
  readonly queues?: string
  readonly without: readonly Protection[]
  readonly crash?: Crash
  readonly seed: number
}

export type Order =
  /** Open and run. Not armed: the crash of the assignment does not happen. */
  | { readonly do: 'go'; readonly armed: boolean }
  | { readonly do: 'arm'; readonly armed: boolean }
  | { readonly do: 'send'; readonly op: Op }
  /** Gives every dead letter up for good. */
  | { readonly do: 'skip' }
  | { readonly do: 'stop' }

export type Notice =
  | { readonly is: 'loaded' | 'ready' | 'redelivered' | 'lost' | 'dead' | 'stopping' | 'resumed' }
  | { readonly is: 'answered'; readonly opId: string; readonly number: number }
  | { readonly is: 'refused'; readonly opId: string; readonly reason: string }
  /** Something that should not happen under these faults. */
  | { readonly is: 'odd'; readonly what: string }
