import type { EventEnvelope } from './message/envelope.ts'
import type { Generation } from './read/checkpoint.ts'
import type { Finding, Health } from './runtime/health.ts'
import type { Migration } from './store.ts'
import type { ChannelStats } from './wire/broker.ts'
import type { DeadLetters } from './wire/dead-letter.ts'
import type { HeldState } from './wire/held.ts'
import type { MessageStatus } from './wire/status.ts'

/** What operators do with a running or a standing application; the command line and the console are skins over it. */
export interface Operations {
  readonly channels: {
    /** Every channel of the application, those without messages too. */
    list(): Promise<readonly ChannelReport[]>
    peek(channel: string, limit: number): Promise<readonly string[]>
    put(channel: string, body: string): Promise<void>
  }
  readonly deadLetters: DeadLetters
  readonly projections: {
    list(): Promise<readonly ProjectionReport[]>
    /**
     * Builds the next generation from the log and switches to it. Resumes a rebuild that was cut off, unless the
     * projection is another by now: then it begins at 0.
     * @throws {ObverseError} `CONFIGURATION_INVALID` for a batch below 1; `REBUILD_RUNNING` while another process drives it, or when one has taken over
     */
    rebuild(projection: string, options?: RebuildOptions): Promise<RebuildReport>
    /** Compares the served rows with a fold of the log. */
    verify(projection: string): Promise<VerifyReport>
    /** Serves another generation that exists (rollback). */
    switchTo(projection: string, generation: number): Promise<void>
  }
  readonly log: {
    /** Up to `limit` events after `position`. */
    read(position: number, limit: number): Promise<readonly EventEnvelope[]>
    head(): Promise<number>
    /** Calls back for each new event until `signal` is aborted. */
    tail(position: number, onEvent: (event: EventEnvelope) => void, signal: AbortSignal): Promise<void>
  }
  /** What became of one message, command or event. */
  status(messageId: string): Promise<StatusReport | undefined>
  /** Everything that belongs to the correlation of one message, as a tree. */
  trace(messageId: string): Promise<readonly TraceNode[]>
  /** Calls off a delayed or waiting message. False: too late or unknown. */
  cancel(messageId: string): Promise<boolean>
  migrate(): Promise<readonly string[]>
  pendingMigrations(): Promise<readonly string[]>
  /** The statements of our own pending steps; those of the application are code, so each is a comment that names it. */
  printMigrations(): Promise<readonly string[]>
  /** Empties everything and makes the tables again. */
  reset(): Promise<void>
  /** Dependencies one by one. */
  health(): Promise<readonly (Health & { readonly name: string })[]>
  /** Looks at configuration, tables, lag, stuck keys, clock; says what to do. */
  doctor(): Promise<readonly Finding[]>
}

export interface ChannelReport extends ChannelStats {
  readonly handlers: readonly string[]
  /** Held rows of the channel's handlers, by state. */
  readonly held: Readonly<Record<HeldState, number>>
}

export interface ProjectionReport {
  readonly projection: string
  readonly view: string
  readonly store: string
  readonly feed: string
  readonly gathering: boolean
  readonly generation: Generation
  readonly rows: number
  /** Log-fed: events between checkpoint and head. */
  readonly behind?: number
  /** Events that the view has seen and the log has not: the log was restored from an older backup, and the rows are not its rows. */
  readonly ahead?: number
  readonly parked: number
}

export interface RebuildOptions {
  /** Build only; `switchTo` later. Default false. */
  readonly noSwitch?: boolean
  /**
   * Begins at 0 even if a rebuild that was cut off could be resumed: for a change that the text of no step shows (in a
   * function that it calls). Default false.
   */
  readonly fresh?: boolean
  /** Events of one batch, after which what was done is kept, and another process may have its turn. Default 1,000. */
  readonly batch?: number
  readonly onProgress?: (progress: RebuildProgress) => void
  readonly signal?: AbortSignal
}

export interface RebuildProgress {
  readonly position: number
  readonly head: number
  readonly events: number
  readonly perSecond: number
}

export interface RebuildReport {
  readonly projection: string
  readonly generation: number
  readonly events: number
  readonly rows: number
  readonly ms: number
  readonly switched: boolean
}

export interface VerifyReport {
  readonly projection: string
  readonly rows: number
  /** Ids of rows that differ from the fold; at most 100. */
  readonly different: readonly string[]
  readonly missing: readonly string[]
  readonly extra: readonly string[]
}

export interface StatusReport {
  readonly messageId: string
  readonly type: string
  /** Of an event: `dead`, `held` or `queued` if it is so for any handler; `logged`: every handler has done with it. */
  readonly state: MessageStatus['state'] | 'queued' | 'held' | 'dead' | 'logged'
  readonly reason?: string
  readonly result?: unknown
  readonly correlationId: string
  readonly causationId: string | null
  readonly at: string
  readonly key?: string | null
  readonly seq?: number
  readonly position?: number
  /** ISO 8601: not before. */
  readonly due?: string
  /** Events: every handler and projection that takes it, and what it has done with it. */
  readonly handlers?: readonly HandlerState[]
}

export interface HandlerState {
  readonly name: string
  /** `queued`: not handled yet. `retry` and `waiting`: held. */
  readonly state: 'handled' | 'queued' | HeldState
  readonly reason?: string
}

export interface TraceNode extends StatusReport {
  readonly caused: readonly TraceNode[]
}

export type { Migration }
