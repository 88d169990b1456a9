import { isObverseError, kindOf, ObverseError } from '../errors.ts'
import type { AnyDefinition, Message } from '../message/define.ts'
import { type Metadata, rootMetadata } from '../message/metadata.ts'
import { isUnchecked, parse } from '../message/schema.ts'
import { issueToken, TOKEN_LIMITS } from '../message/token.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { DeliveryOptions } from './context.ts'
import type { Executor } from './execute.ts'
import type { AnyHandler } from './handle.ts'
import { type Claim, createTwins, doneAnswer, fingerprint, repeat } from './idempotency.ts'
import { SentJob } from './job.ts'
import type { Placed, Transactions } from './transaction.ts'
import { definitionOf, type Surroundings, UnitBuilder } from './unit-builder.ts'

export interface SendOptions extends DeliveryOptions {
  /** Repeats with the same key get the same answer. Scoped by principal and command. */
  readonly idempotencyKey?: string
  readonly principal?: string
  /** Correlation and trace of the caller. */
  readonly metadata?: Partial<Metadata>
}

/** A synchronous command was handled and committed. */
export interface Sent<R> {
  readonly messageId: string
  readonly result: R
  /** For `ask(…, { after })`. */
  readonly token: string
  /** True: this idempotency key was answered before, and this is that answer. */
  readonly replayed: boolean
}

/** An asynchronous command was accepted: it will be handled, or be a dead letter. */
export interface Receipt<R> {
  readonly messageId: string
  /** Waits for the command and then for what it wrote. */
  readonly token: string
  readonly replayed: boolean
  /**
   * The handler's result. @throws {ObverseError} `RECEIPT_TIMEOUT` after `timeout` ms (default 30,000), or the failure
   */
  done(options?: { readonly timeout?: number }): Promise<R>
}

export interface CommandBusDependencies {
  readonly handlers: ReadonlyMap<string, AnyHandler>
  readonly execute: Executor
  readonly transactions: Transactions
  readonly around: Surroundings
  readonly runtime: Runtime
  readonly observe: Observer
  /** False: nobody observes, so nothing is measured. */
  readonly observed: () => boolean
  /** Commands that may run or wait at once. */
  readonly inFlightLimit: number
  readonly idempotencyWait: number
  /** Waits for the end of an accepted command. */
  readonly done: (messageId: string, options?: { readonly timeout?: number }) => Promise<unknown>
}

export type CommandBus = (message: Message, options?: SendOptions) => Promise<Sent<unknown> | Receipt<unknown>>

/** The type of the part of a receipt's token that stands for the command itself. */
export const MESSAGE_PART = ':message'
/** The type of a part that stands for everything that one message caused; its key is the id and the correlation. */
export const CAUSED_PART = ':caused'

/** Characters of a token; a longer one would not fit into a header beside others. */
const LONGEST_TOKEN = 4_096

/** A write of many keys is named by what caused it. */
export function tokenOf(events: readonly Placed[], id: string, { correlationId }: Metadata): string {
  if (events.length <= TOKEN_LIMITS.parts) {
    const token = issueToken(events)
    if (token.length <= LONGEST_TOKEN) return token
  }
  return issueToken([{ type: CAUSED_PART, key: `${id} ${correlationId}`, seq: 1 }])
}

/**
 * The way of a command: schema → idempotency key → pipeline → handler → one commit → token. Asynchronous ones go from
 * the schema to the outbox.
 */
export function createCommandBus(dependencies: CommandBusDependencies): CommandBus {
  const { handlers, runtime, inFlightLimit } = dependencies
  const twins = createTwins(runtime, dependencies.idempotencyWait)
  let inFlight = 0

  const send: CommandBus = async (message, options = {}) => {
    const handler = handlers.get(message?.type)
    if (!handler) throw unhandled(message)
    if (handler.channel === undefined && (options.delay !== undefined || options.at !== undefined)) {
      const field = options.delay === undefined ? 'at' : 'delay'
      const text = `${message.type} is handled at once; give its handler a channel to send it with a ${field}`
      throw new ObverseError('VALIDATION_FAILED', text, { fields: { [field]: [text] } })
    }
    if (inFlight >= inFlightLimit) {
      throw new ObverseError('OVERLOADED', `${inFlight} commands are under way already; try again later`)
    }
    inFlight += 1
    try {
      const definition = definitionOf(message)
      let data: unknown = message.data
      if (!isUnchecked(definition.schema)) {
        const parsed = parse(definition.schema, data, message.type)
        data = parsed instanceof Promise ? await parsed : parsed
      }
      const claim = claimOf(message, options)
      const run = (): Promise<Sent<unknown> | Receipt<unknown>> =>
        handler.channel === undefined
          ? now(handler, message, data, options, claim, dependencies)
          : later(handler, definition, message, options, claim, dependencies)
      return await (claim ? twins.alone(claim, run) : run())
    } finally {
      inFlight -= 1
    }
  }
  const measured = measure(send, dependencies)
  return (message, options) => (dependencies.observed() ? measured(message, options) : send(message, options))
}

async function now(
  handler: AnyHandler,
  message: Message,
  data: unknown,
  options: SendOptions,
  claim: Claim | undefined,
  { execute, runtime }: CommandBusDependencies,
): Promise<Sent<unknown>> {
  const id = runtime.id()
  const metadata = metadataOf(id, options)
  const job = new SentJob(
    { id, type: message.type, data, metadata },
    runtime,
    claim && ((result, events) => doneAnswer({ messageId: id, result }, tokenOf(events, id, metadata))),
  )
  try {
    const { outcome, result } = await execute(handler, job, claim)
    if (outcome.kind === 'replayed') {
      const answer = repeat(outcome.answer) as { messageId: string; result?: unknown }
      return { messageId: answer.messageId, result: answer.result, token: outcome.answer.token, replayed: true }
    }
    const token = outcome.kind === 'committed' ? tokenOf(outcome.events, id, metadata) : ''
    return { messageId: id, result, token, replayed: false }
  } catch (error) {
    if (isObverseError(error)) throw error
    throw new ObverseError('HANDLER_FAILED', `The handler of ${message.type} threw: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

async function later(
  handler: AnyHandler,
  definition: AnyDefinition,
  message: Message,
  options: SendOptions,
  claim: Claim | undefined,
  { transactions, around, runtime, observe, done }: CommandBusDependencies,
): Promise<Receipt<unknown>> {
  const id = runtime.id()
  const unit = new UnitBuilder(around, { id, type: message.type, metadata: metadataOf(id, options), isRoot: true })
  unit.send(message, options, id)
  const token = issueToken([{ type: MESSAGE_PART, key: id, seq: 1 }])
  const answer = () => doneAnswer({ messageId: id }, token)
  const entry = { name: handler.name, ...(claim && { claim }) }
  const outcome = await transactions.commit(entry, unit.build(claim ? { answer } : {}))
  const receipt = (messageId: string, named: string, replayed: boolean) => ({
    messageId,
    token: named,
    replayed,
    done: (options?: { readonly timeout?: number }) => done(messageId, options),
  })
  if (outcome.kind === 'replayed') {
    const { messageId } = repeat(outcome.answer) as { messageId: string }
    return receipt(messageId, outcome.answer.token, true)
  }
  observe({ step: 'sending', type: definition.type, messageId: id, channel: handler.channel })
  return receipt(id, token, false)
}

function unhandled(message: Message): ObverseError {
  const { kind, type } = definitionOf(message)
  return kind === 'command'
    ? new ObverseError('HANDLER_MISSING', `Nothing handles ${type}; add its handler to createApp()`)
    : new ObverseError(
        'HANDLER_MISSING',
        `${type} is ${kind === 'event' ? 'an event: publish it from a handler' : 'a query: ask() it'}`,
      )
}

function claimOf(message: Message, options: SendOptions): Claim | undefined {
  const { idempotencyKey, principal = '' } = options
  if (idempotencyKey === undefined) return undefined
  return { principal, command: message.type, key: idempotencyKey, fingerprint: fingerprint(message.data) }
}

function metadataOf(id: string, { principal, metadata }: SendOptions): Metadata {
  if (principal === undefined && metadata === undefined) return { correlationId: id, causationId: null }
  return rootMetadata(id, { ...metadata, ...(principal !== undefined && { principal }) })
}

function measure(send: CommandBus, { observe, runtime }: CommandBusDependencies): CommandBus {
  return async (message, options) => {
    const from = runtime.elapsed()
    const said = (messageId: string, outcome: 'done' | 'accepted' | 'replayed' | 'refused' | 'failed') =>
      observe({ step: 'sent', type: message.type, messageId, ms: runtime.elapsed() - from, outcome })
    try {
      const sent = await send(message, options)
      said(sent.messageId, sent.replayed ? 'replayed' : 'done' in sent ? 'accepted' : 'done')
      return sent
    } catch (error) {
      said('', kindOf(error) === 'refusal' ? 'refused' : 'failed')
      throw error
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
