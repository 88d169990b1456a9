import type { Delivery } from '../message/delivery.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import type { NewEvent, Stream } from './event-store.ts'
import type { Answer, Claim } from './idempotency.ts'
import type { NewMessage } from './outbox.ts'
import type { NewSnapshot, Snapshot } from './snapshot.ts'

/**
 * PORT. One unit of work: state, events, outgoing messages, the inbox mark of the incoming message and the answer to
 * repeat commit together or not at all.
 *
 * Every method checks its {@link Entry} first, inside the transaction, and may therefore end without running the
 * work (`replayed`, `duplicate`, `held`, `lost`). Units of concurrent callers may share one commit; each keeps its
 * own success or failure. If an outage fails the commit itself, every member fails.
 *
 * Errors: `CONFLICT` when an expected version does not hold (nothing of the unit is kept), `IDEMPOTENCY_MISMATCH`,
 * `STORE_BUSY`, `STORE_UNREACHABLE`, `STORE_CLOSED`; whatever the work throws, unchanged.
 */
export interface Transactions {
  /**
   * Looks at the entry before a work whose effects are elsewhere (a mail), so that a handled or held message does not
   * run: `undefined` means go on, and nothing was written. `duplicate` and `held` are settled as by `commit`. The
   * entry is checked once more by the commit.
   */
  enter(entry: Entry): Promise<Exclude<Outcome, { kind: 'committed' }> | undefined>
  /** Commits what is already known. */
  commit(entry: Entry, unit: Unit): Promise<Outcome>
  /**
   * Loads one key, decides, commits. `decision` is pure and may run more than once. Stores with one writer run it
   * inside the transaction; others commit with the loaded version expected and throw `CONFLICT`.
   */
  decide(entry: Entry, request: StreamRequest, decision: (loaded: LoadedStream) => Unit): Promise<Outcome>
  /**
   * For state in the application's own tables. `work` starts at once; its turn in the transaction begins at its
   * first use of `tx.connection()` (the entry is checked then), or after it has returned if it never uses it.
   * A turn longer than the store's limit is rolled back with `HANDLER_TOO_SLOW`, and the connection is revoked
   * (`TURN_OVER`). When `work` throws, nothing is kept, except as {@link Entry.refusal} says. `CONFLICT` when other work
   * of a shared commit has undone it: it may be run again.
   */
  transact(entry: Entry, work: (tx: Transaction) => Promise<Unit>): Promise<Outcome>
  /**
   * Writes `unit` into a transaction that the application has opened by its own means, on the database of this store, and
   * will commit or roll back itself: keys are locked in one order, versions compared, seqs given, inline views filled.
   * `CONFLICT` for an expected version that does not hold, before anything is written; what `connection` throws, unchanged.
   * Absent: there can be no such transaction here.
   */
  join?(connection: SqlConnection, unit: Unit): Promise<JoinedUnit>
  /** True when `tx.connection()` exists here (SQL stores). */
  readonly hasTables: boolean
  /** True when a commit knows the position of its events, so that gathering views can be filled inline. */
  readonly knowsPosition: boolean
}

/** What is checked before any work, in this order: settlement fence, inbox mark, held lane, idempotency claim. */
export interface Entry {
  /**
   * The incoming message. Its queue row must still be ours, its held row still be claimed by this process (else
   * `lost`); a handled one is `duplicate`, one that was skipped too; one whose (handler, key) has held rows joins them
   * (`held`), unless it is their head; so is a second copy of a message that is held or dead, ordered or not (it gets no
   * second row). Marked in the inbox, its queue or held row, its attempt rows removed, with the unit. `duplicate` and
   * `held` settle the queue row too.
   */
  readonly delivery?: Delivery
  /** Set for asynchronous commands: their status row becomes `done` with {@link Unit.result} in this commit. */
  readonly tracked?: boolean
  readonly claim?: Claim
  /**
   * Asked when the work or decision throws. An answer means: keep nothing of the work, but commit the claim with this
   * answer (and, for a delivery, nothing). Then the same error is thrown.
   */
  readonly refusal?: (error: unknown) => Answer | undefined
  /** Name of the handler, for errors. */
  readonly name: string
}

/** What one command or message changes. */
export interface Unit {
  readonly events: readonly NewEvent[]
  readonly messages: readonly NewMessage[]
  /** Expected version by key; checked before the append. Keys that are missing are appended to as they are. */
  readonly expected?: ReadonlyMap<string, number>
  readonly snapshot?: NewSnapshot
  /** JSON text stored in the status row of a tracked delivery, and available to the caller. */
  readonly result?: string
  /** Makes the answer to store with the claim, once the seqs are known. */
  readonly answer?: (events: readonly Placed[]) => Answer
  /** Fills inline views inside the transaction, with the seqs (and positions, where known) of this unit's events. */
  readonly project?: (events: readonly EventEnvelope[], rows: InlineRows) => void | Promise<void>
  /** Messages whose scheduled delivery is called off in this commit, if they have not started. */
  readonly cancel?: readonly string[]
}

export interface StreamRequest {
  readonly key: string
  readonly types: readonly string[]
  /** Name under which snapshots of this aggregate are kept; none: no look-up. */
  readonly snapshot?: { readonly name: string; readonly version: number }
}

export interface LoadedStream extends Stream {
  /** Events come after it. */
  readonly snapshot?: Snapshot
}

/** One event after its commit. */
export interface Placed {
  readonly type: string
  readonly key: string
  readonly seq: number
  /** Where the store knows it at commit. */
  readonly position?: number
}

/** What was written into a transaction of the application: it is there once that is committed, or never. */
export interface JoinedUnit {
  readonly events: readonly Placed[]
  /** To be called after the commit: who waits for commits looks at once. Otherwise they look by and by. */
  committed(): void
}

export type Outcome =
  | { readonly kind: 'committed'; readonly events: readonly Placed[]; readonly result?: string }
  /** The idempotency key was answered before. */
  | { readonly kind: 'replayed'; readonly answer: Answer }
  /** The inbox has this message for this handler. */
  | { readonly kind: 'duplicate' }
  /** The lane has held rows; the message is one of them now. */
  | { readonly kind: 'held' }
  /** The queue row or held row is no longer ours: somebody else has it. Nothing was done. */
  | { readonly kind: 'lost' }

/** What `work` of {@link Transactions.transact} is given. */
export interface Transaction {
  /** Begins the turn if it has not begun; resolves with the connection that is bound to this transaction. */
  connection(): SqlConnection
  /** Aborted when the turn is stopped. */
  readonly signal: AbortSignal
}

/** A connection to application tables, bound to one transaction. Its first statement waits for the turn. */
export interface SqlConnection {
  readonly dialect: 'sqlite' | 'postgres' | 'mysql'
  execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult>
}

export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[]
  /** Rows changed by INSERT, UPDATE or DELETE. */
  readonly changes?: bigint
  readonly lastInsertId?: bigint
}

/** Binds a query builder's types to a transaction's connection: `handle(Command, { db: tables<DB>() }, …)`. */
export interface TableBinding<DB> {
  bind(connection: SqlConnection): DB
}

/** Rows of inline views, in the store of the transaction. Answers may come at once. Rows are those of `read/view.ts`. */
export interface InlineRows {
  table(
    view: string,
    generation: number,
  ): {
    load(ids: readonly string[]): readonly unknown[] | Promise<readonly unknown[]>
    save(rows: readonly unknown[]): readonly string[] | Promise<readonly string[]>
  }
  /** The generation of a view that is served, as this transaction sees it. Absent: a pointer some ms old decides. */
  serving?(view: string): number | Promise<number>
  /** Events of earlier commits, as this transaction sees them, for what a row has missed; see `Log`. Absent: asked outside. */
  readonly history?: {
    between(
      ranges: readonly { readonly key: string; readonly after: number; readonly before: number }[],
      types: readonly string[],
    ): readonly EventEnvelope[] | Promise<readonly EventEnvelope[]>
    after(after: number, limit: number, types: readonly string[]): EarlierEvents | Promise<EarlierEvents>
  }
}

export interface EarlierEvents {
  readonly events: readonly EventEnvelope[]
  /** Everything up to this position was looked at. */
  readonly scannedTo: number
}
