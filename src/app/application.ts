import type { AnyDefinition, Message } from '../message/define.ts'
import type { Operations } from '../operate.ts'
import type { AnyProjection } from '../read/projection.ts'
import type { QueryHandler } from '../read/query-bus.ts'
import type { ViewStore } from '../read/view.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { Layer } from '../runtime/pipeline.ts'
import type { Migration, Store } from '../store.ts'
import type { Broker } from '../wire/broker.ts'
import type { ChannelOptions } from '../wire/channel.ts'
import type { ConsumeOptions, Consumption } from '../wire/consume.ts'
import type { Receipt, SendOptions, Sent } from '../write/command-bus.ts'
import type { PipelineContext } from '../write/execute.ts'
import type { AnyHandler, Handler } from '../write/handle.ts'
import type { SqlConnection } from '../write/transaction.ts'
import type { WithinContext, WithinOptions, Written } from '../write/within.ts'
import type { Description } from './describe.ts'
import type { Limits } from './limits.ts'

export interface AppOptions<H extends readonly (AnyHandler | QueryHandler)[]> {
  /** For humans and metrics. Default `obverse`. */
  readonly name?: string
  readonly handlers: H
  readonly projections?: readonly AnyProjection[]
  /** Where state, events, outbox and inbox commit together: `sqlite('orders.db')`, `memory()`. */
  readonly store: Store
  /** Default: the store's own queue. */
  readonly broker?: (environment: { readonly runtime: Runtime }) => Promise<Broker>
  /** View name → where its rows live. Default: the store. */
  readonly views?: Readonly<Record<string, (environment: { readonly runtime: Runtime }) => Promise<ViewStore>>>
  readonly channels?: Readonly<Record<string, ChannelOptions>>
  /** Layers around every handler, outermost first. */
  readonly pipeline?: readonly Layer<PipelineContext>[]
  /** The application's own tables. */
  readonly migrations?: readonly Migration[]
  /** `auto` (default): `start` makes the tables. `check`: it refuses to run on pending ones. */
  readonly migrate?: 'auto' | 'check'
  readonly observe?: readonly Observer[]
  readonly runtime?: Runtime
  readonly limits?: Partial<Limits>
  /** Definitions to check at start: each command and query among them needs a handler. Events nobody handles are fine. */
  readonly messages?: readonly AnyDefinition[]
  /** Channels are switched off: asynchronous commands and event handlers run in place. For tests and small tools. */
  readonly inline?: boolean
}

export interface AskOptions {
  /** Token of a write that the answer must include. */
  readonly after?: string
  /** Milliseconds to wait for it; at most the limit. */
  readonly timeout?: number
  readonly principal?: string
  readonly signal?: AbortSignal
}

export type HandlerFor<H, T extends string> =
  // biome-ignore lint/suspicious/noExplicitAny: matches every handler
  H extends Handler<infer D extends AnyDefinition, any, any>
    ? T extends D['type']
      ? D['type'] extends T
        ? H
        : never
      : never
    : never
export type AnswerOf<H> = [H] extends [never]
  ? { 'no handler for this command': never }
  : // biome-ignore lint/suspicious/noExplicitAny: matches every handler
    H extends Handler<any, infer R, infer Ch>
    ? [Ch] extends [string]
      ? Receipt<R>
      : [Ch] extends [undefined]
        ? Sent<R>
        : Sent<R> | Receipt<R>
    : never

/** Which long-running parts a process runs. Default: all of them. */
export interface Roles {
  /** Stamping, publishing, purging, rolling-deployment reclaim. */
  readonly relay?: boolean
  /** Channels to consume; `true`: all, and the held rows of their handlers. */
  readonly consume?: boolean | readonly string[]
  /** Log-fed projections. */
  readonly project?: boolean
}

export interface App<H = AnyHandler> {
  readonly name: string
  /**
   * Sends a command. Synchronous: resolves when its handler has run and committed. Asynchronous: when it is in the
   * outbox.
   * @throws {ObverseError} `VALIDATION_FAILED`, a refusal, `CONFLICT`, `IDEMPOTENCY_…`, `HANDLER_FAILED` (with the cause),
   * outages
   */
  send<T extends string>(
    message: Message<T, unknown, 'command'>,
    options?: SendOptions,
  ): Promise<AnswerOf<HandlerFor<H, T>>>
  /** Asks a query. @throws {ObverseError} `VALIDATION_FAILED`, `TOKEN_INVALID`, `CONSISTENCY_TIMEOUT`, `KEY_PARKED` */
  ask<R>(message: Message<string, unknown, 'query', R>, options?: AskOptions): Promise<R>
  /**
   * Publishes and sends within a transaction that you have opened yourself, on the database of the store:
   * `join(tx)` of the store's entry names it. Everything is committed or rolled back with your own statements. Append last, and
   * once: the keys of the events are locked until you commit. What your driver throws comes through as it is.
   * @throws {ObverseError} `CONFLICT` for an expected version, `CONFIGURATION_INVALID` where nothing is open
   * @example
   * const { token } = await app.within(join(trx), (ctx) => ctx.publish(OrderPlaced({ orderId })))
   */
  within<R>(
    transaction: SqlConnection,
    work: (ctx: WithinContext) => R | Promise<R>,
    options?: WithinOptions,
  ): Promise<Written<R>>
  /** Opens the store without running anything: enough for `send`, `ask` and `operate`. Done by them when needed. */
  open(): Promise<void>
  /** Opens and runs the long-running parts. Twice is once. */
  start(roles?: Roles): Promise<void>
  /** Drains: starts nothing new, finishes what runs, gives the rest back, closes. Twice is once; `start` works again. */
  stop(): Promise<void>
  /** Consumes channels until a limit is reached or `signal` is aborted. */
  consume(channels: readonly string[], options?: ConsumeOptions): Promise<Consumption>
  /** One round of everything that is due: for tests. Resolves with what was done; 0: idle. */
  drain(): Promise<number>
  readonly operate: Operations
  describe(): Description
  /** Definitions by type, for adapters and the command line. */
  definition(type: string): AnyDefinition | undefined
  /** Adds an observer; the returned function removes it. */
  observe(observer: Observer): () => void
  [Symbol.asyncDispose](): Promise<void>
}
