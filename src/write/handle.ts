import { ObverseError } from '../errors.ts'
import type { AnyDefinition, DataOf } from '../message/define.ts'
import { knownOptions } from '../runtime/options.ts'
import { type RetryPolicy, retryPolicy } from '../runtime/retry.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { HandlerContext } from './context.ts'
import type { Refusal } from './refuse.ts'
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

export type HandlerBody = EffectBody | DecisionBody

/** Any effect: what `handle` makes. */
export interface EffectBody {
  readonly kind: 'effect'
  readonly run: (data: never, context: never) => unknown
  readonly db?: TableBinding<unknown>
}

/** A pure decision on an aggregate: what `decide` makes. */
export interface DecisionBody {
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
 * and sends commits together with the inbox mark, or not at all. Throw (or return) `refuse(…)` to say no, `permanent(…)` when
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
): Handler<D, Exclude<Awaited<R>, Refusal>, Ch>
export function handle<D extends AnyDefinition<'command' | 'event'>, R>(
  definition: D,
  run: (data: DataOf<D>, context: HandlerContext) => R | Promise<R>,
): Handler<D, Exclude<Awaited<R>, Refusal>, undefined>
export function handle(
  definition: AnyDefinition,
  optionsOrRun: HandleOptions<string | undefined, unknown> | ((data: never, context: never) => unknown),
  maybeRun?: (data: never, context: never) => unknown,
): Handler {
  const run = typeof optionsOrRun === 'function' ? optionsOrRun : maybeRun
  const given = typeof optionsOrRun === 'function' ? {} : optionsOrRun
  checkHandler(definition, given, ['channel', 'name', 'db', 'retry', 'timeout'], run)
  const { channel, name, db, ...options } = given
  const at = definition.kind === 'event' ? (channel ?? EVENTS_CHANNEL) : channel
  return {
    definition,
    name: name ?? handlerName(definition, at),
    channel: at,
    options,
    body: { kind: 'effect', run: run as (data: never, context: never) => unknown, ...(db && { db }) },
  }
}

/** @throws {ObverseError} `CONFIGURATION_INVALID` */
export function checkHandler(
  definition: AnyDefinition,
  options: HandlerOptions,
  known: readonly string[],
  run: unknown,
): void {
  const { type } = definition
  knownOptions(`the handler of ${type}`, options, known)
  if (typeof run !== 'function') {
    throw new ObverseError('CONFIGURATION_INVALID', `The handler of ${type} has no function; give it as last argument`)
  }
  if (options.retry !== undefined) retryPolicy(options.retry)
  if (options.timeout !== undefined && !(options.timeout >= 1)) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `timeout of the handler of ${type} is ${options.timeout}; give milliseconds from 1`,
    )
  }
}

export function handlerName(definition: AnyDefinition, channel: string | undefined): string {
  return definition.kind === 'event' ? `${definition.type}@${channel}` : definition.type
}
