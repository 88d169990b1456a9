import { isObverseError, kindOf, ObverseError } from '../errors.ts'
import type { AnyDefinition, Message } from '../message/define.ts'
import { type Metadata, rootMetadata } from '../message/metadata.ts'
import { isUnchecked, parse } from '../message/schema.ts'
import { issueToken } from '../message/token.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { DeliveryOptions } from './context.ts'
import type { Executor } from './execute.ts'
import type { AnyHandler } from './handle.ts'
import { type Claim, createTwins, doneAnswer, fingerprint, repeat } from './idempotency.ts'
import { SentJob } from './job.ts'
import type { Outcome, Transactions } from './transaction.ts'
import { definitionOf, type Surroundings, UnitBuilder } from './unit-builder.ts'

export interface SendOptions extends DeliveryOptions {
  /** Repeats with the same key get the same answer. Scoped by principal and command. */
  readonly idempotencyKey?: string
  readonly principal?: string
  /** Correlation and trace of the caller. */
  readonly metadata?: Partial<Metadata>
}

/** How a command ended. An asynchronous one is `accepted`: its result is not known yet. */
export interface SendOutcome {
  readonly kind: 'done' | 'accepted'
  readonly messageId: string
  readonly result: unknown
  readonly token: string
  readonly replayed: boolean
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
}

export type CommandBus = (message: Message, options?: SendOptions) => Promise<SendOutcome>

/** The type of the part of a receipt's token that stands for the command itself. */
export const MESSAGE_PART = ':message'

/**
 * The way of a command: schema → idempotency key → pipeline → handler → one commit → token. Asynchronous ones go from
 * the schema to the outbox.
 */
export function createCommandBus(dependencies: CommandBusDependencies): CommandBus {
  const { handlers, runtime, inFlightLimit } = dependencies
  const twins = createTwins(runtime, dependencies.idempotencyWait)
  let inFlight = 0

  const send: CommandBus = async (message, options = {}) => {
    const handler = handlers.get(message.type)
    if (!handler) {
      throw new ObverseError('HANDLER_MISSING', `Nothing handles ${message.type}; add its handler to createApp()`)
    }
    if (inFlight >= inFlightLimit) {
      throw new ObverseError('OVERLOADED', `${inFlight} commands are under way already; try again later`)
    }
    inFlight += 1
    try {
      const definition = definitionOf(message)
      const data = isUnchecked(definition.schema)
        ? message.data
        : await parse(definition.schema, message.data, message.type)
      const claim = claimOf(message, options)
      const run = () =>
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
): Promise<SendOutcome> {
  const id = runtime.id()
  const metadata = metadataOf(id, options)
  const job = new SentJob(
    { id, type: message.type, data, metadata },
    runtime,
    claim && ((result, events) => doneAnswer({ messageId: id, result }, issueToken(events))),
  )
  try {
    const { outcome, result } = await execute(handler, job, claim)
    if (outcome.kind === 'replayed') return replayed('done', outcome)
    return {
      kind: 'done',
      messageId: id,
      result,
      token: issueToken(outcome.kind === 'committed' ? outcome.events : []),
      replayed: false,
    }
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
  { transactions, around, runtime, observe }: CommandBusDependencies,
): Promise<SendOutcome> {
  const id = runtime.id()
  const unit = new UnitBuilder(around, { id, metadata: metadataOf(id, options), isRoot: true })
  unit.send(message, options, id)
  const token = issueToken([{ type: MESSAGE_PART, key: id, seq: 1 }])
  const answer = () => doneAnswer({ messageId: id }, token)
  const entry = { name: handler.name, ...(claim && { claim }) }
  const outcome = await transactions.commit(entry, unit.build(claim ? { answer } : {}))
  if (outcome.kind === 'replayed') return replayed('accepted', outcome)
  observe({ step: 'sending', type: definition.type, messageId: id, channel: handler.channel })
  return { kind: 'accepted', messageId: id, result: undefined, token, replayed: false }
}

function replayed(kind: SendOutcome['kind'], outcome: Extract<Outcome, { kind: 'replayed' }>): SendOutcome {
  const { messageId, result } = repeat(outcome.answer) as { messageId: string; result?: unknown }
  return { kind, messageId, result, token: outcome.answer.token, replayed: true }
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
      said(sent.messageId, sent.replayed ? 'replayed' : sent.kind)
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
