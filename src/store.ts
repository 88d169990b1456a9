import type { Registry } from './message/registry.ts'
import type { Checkpoints } from './read/checkpoint.ts'
import type { Log } from './read/feed.ts'
import type { ViewStore } from './read/view.ts'
import type { Runtime } from './runtime/clock.ts'
import type { Finding, Health } from './runtime/health.ts'
import type { Broker } from './wire/broker.ts'
import type { DeadLetters } from './wire/dead-letter.ts'
import type { HeldRows } from './wire/held.ts'
import type { Inbox } from './wire/inbox.ts'
import type { Outbox } from './wire/outbox.ts'
import type { Positions } from './wire/positions.ts'
import type { Statuses } from './wire/status.ts'
import type { EventStore } from './write/event-store.ts'
import type { SqlConnection, Transactions } from './write/transaction.ts'

/** A store that has been named but not opened: `sqlite('orders.db')`, `memory()`. Opens nothing by being made. */
export interface Store {
  readonly name: string
  /** @throws {ObverseError} `STORE_UNREACHABLE`, `STORE_CORRUPT`, `SCHEMA_OUTDATED`; the message names the file or host */
  open(environment: StoreEnvironment): Promise<OpenStore>
}

export interface StoreEnvironment {
  readonly runtime: Runtime
  /** For upcasting what is loaded. */
  readonly registry: Registry
  /** True: outbox rows are for a broker elsewhere. False: they are this store's queue rows. */
  readonly relayed: boolean
}

/** Every port of one store, together: both halves of the split ones, over the same data. */
export interface OpenStore {
  readonly events: EventStore
  readonly transactions: Transactions
  readonly outbox: Outbox
  /** Absent where commits know positions. */
  readonly positions?: Positions
  readonly inbox: Inbox
  readonly held: HeldRows
  readonly deadLetters: DeadLetters
  readonly statuses: Statuses
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly views: ViewStore
  /** Its own queue over its own rows; used when the application names no other broker. */
  readonly broker: Broker
  readonly schema: SchemaControl
  readonly health: () => Promise<Health>
  /** What only this store can tell of its server: settings, permissions, clock, sessions that stand in the way. */
  readonly examine?: () => Promise<readonly Finding[]>
  /** Of that, what grows worse while nobody looks. Cheap: the relay asks every few seconds, and tells each once. */
  readonly alarms?: () => Promise<readonly Finding[]>
  /** Calls `listener` after every commit that may concern others, of this process at once, of other processes soon. */
  readonly onCommit: (listener: () => void) => () => void
  readonly close: () => Promise<void>
}

/** Tables and their versions. */
export interface SchemaControl {
  /** Applies what is missing, ours first, then the application's, each step once, under a lock. Returns their names. */
  migrate(steps: readonly Migration[]): Promise<readonly string[]>
  /** Names of the steps that `migrate` would apply. */
  pending(steps: readonly Migration[]): Promise<readonly string[]>
  /** The statements of our own pending steps, for a person to read. */
  print(): Promise<readonly string[]>
  /** Empties everything: log, queues, views, application tables. Then tables are made again by `migrate`. */
  reset(): Promise<void>
}

/** One step of the application's own tables, applied once, in order, in a transaction of its own. */
export interface Migration {
  /** Stable and unique, as `001-orders`. */
  readonly name: string
  up(connection: SqlConnection): Promise<void>
}
