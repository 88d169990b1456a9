import type { AnyDefinition, DataOf } from '../message/define.ts'
import type { RetryPolicy } from '../runtime/retry.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { HandlerContext } from './context.ts'
import type { TableBinding } from './transaction.ts'

/** A handler as a value: what `createApp` takes. Registered once, called by the application only. */
export interface Handler<
  D extends AnyDefinition = AnyDefinition,
  R = unknown,
  Ch extends string | undefined = string | undefined,
> {
  readonly definition: D
  /** Scope of the inbox mark; stable across releases. Default: the message type, for events `TYPE@CHANNEL`. */
  readonly name: string
  readonly channel: Ch
  readonly options: HandlerOptions
  readonly body: HandlerBody
  readonly _result?: R
}

// biome-ignore lint/suspicious/noExplicitAny: a handler of anything, for inference
export type AnyHandler = Handler<any, any, any>

export interface HandlerOptions {
  readonly retry?: Partial<RetryPolicy>
  /** Milliseconds an attempt may take. Default: that of its channel. */
  readonly timeout?: number
}

export type HandlerBody =
  | {
      readonly kind: 'effect'
      readonly run: (data: never, context: never) => unknown
      readonly db?: TableBinding<unknown>
    }
  | {
      readonly kind: 'decision'
      readonly aggregate: AnyAggregate
      readonly id: (data: never) => string
      readonly decide: (data: never, state: never) => unknown
    }

export interface HandleOptions<Ch extends string | undefined, DB> extends HandlerOptions {
  readonly channel?: Ch
  readonly name?: string
  /** Types `ctx.db`: `tables<DB>()` of `obverse/kysely`. */
  readonly db?: TableBinding<DB>
}

/** The channel of an event handler that names none. */
export const EVENTS_CHANNEL = 'events'

/**
 * Handles a command or an event with any effect. Runs inside one transaction: what it writes by `ctx.db`, publishes
 * and sends commits together with the inbox mark, or not at all. Throw `refuse(…)` to say no, `permanent(…)` when
 * trying again cannot help, `outage(…)` when something it needs is down.
 *
 * A command with a `channel` is asynchronous: `send` answers with a receipt. An event handler always has a channel,
 * `events` by default.
 *
 * @example
 * const mailOnPlaced = handle(OrderPlaced, { channel: 'mail' }, async (e, ctx) => mailer.confirm(e, ctx.messageId))
 */
export function handle<
  D extends AnyDefinition<'command' | 'event'>,
  R,
  const Ch extends string | undefined = undefined,
  DB = undefined,
>(
  definition: D,
  options: HandleOptions<Ch, DB>,
  run: (data: DataOf<D>, context: HandlerContext<DB>) => R | Promise<R>,
): Handler<D, Awaited<R>, Ch>
export function handle<D extends AnyDefinition<'command' | 'event'>, R>(
  definition: D,
  run: (data: DataOf<D>, context: HandlerContext) => R | Promise<R>,
): Handler<D, Awaited<R>, undefined>
export function handle(
  definition: AnyDefinition,
  optionsOrRun: HandleOptions<string | undefined, unknown> | ((data: never, context: never) => unknown),
  maybeRun?: (data: never, context: never) => unknown,
): Handler {
  const run = typeof optionsOrRun === 'function' ? optionsOrRun : maybeRun
  const { channel, name, db, ...options } = typeof optionsOrRun === 'function' ? {} : optionsOrRun
  const at = definition.kind === 'event' ? (channel ?? EVENTS_CHANNEL) : channel
  return {
    definition,
    name: name ?? handlerName(definition, at),
    channel: at,
    options,
    body: { kind: 'effect', run: run as (data: never, context: never) => unknown, ...(db && { db }) },
  }
}

export function handlerName(definition: AnyDefinition, channel: string | undefined): string {
  return definition.kind === 'event' ? `${definition.type}@${channel}` : definition.type
}
