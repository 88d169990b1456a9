import { ObverseError } from '../errors.ts'
import type { AnyDefinition } from '../message/define.ts'
import { createRegistry, type Registry } from '../message/registry.ts'
import type { AnyProjection } from '../read/projection.ts'
import type { QueryHandler } from '../read/query-bus.ts'
import { type Channel, type ChannelOptions, channel } from '../wire/channel.ts'
import type { AnyHandler } from '../write/handle.ts'

/** What an application is made of, checked before the first message. */
export interface Assembly {
  readonly registry: Registry
  /** By command type. */
  readonly commands: ReadonlyMap<string, AnyHandler>
  /** Everything that has a channel: asynchronous commands and event handlers. */
  readonly onChannels: readonly AnyHandler[]
  readonly queries: readonly QueryHandler[]
  readonly projections: readonly AnyProjection[]
  readonly channels: ReadonlyMap<string, Channel>
}

export interface Parts {
  readonly handlers: readonly (AnyHandler | QueryHandler)[]
  readonly projections?: readonly AnyProjection[]
  readonly channels?: Readonly<Record<string, ChannelOptions>>
  readonly messages?: readonly AnyDefinition[]
}

/**
 * @throws {ObverseError} `DEFINITION_DUPLICATE`, `HANDLER_DUPLICATE`, `HANDLER_MISSING`, `CHANNEL_UNKNOWN`,
 * `CONFIGURATION_INVALID`
 */
export function assemble(parts: Parts): Assembly {
  for (const [at, handler] of (parts.handlers ?? []).entries()) checkHandlerValue(handler, at)
  const { handlers = [], projections = [], messages = [] } = parts
  const queries = handlers.filter((handler): handler is QueryHandler => 'answer' in handler)
  const doers = handlers.filter((handler): handler is AnyHandler => !('answer' in handler))
  const commands = new Map<string, AnyHandler>()
  for (const handler of doers) {
    if (handler.definition.kind !== 'command') continue
    claimType(commands, handler)
  }
  checkQueries(queries)
  checkNames([...doers, ...queries, ...projections])
  checkHandled(messages, commands, queries)
  const registry = createRegistry([
    ...messages,
    ...handlers.map((handler) => handler.definition as AnyDefinition),
    ...doers.flatMap(({ body }) => (body.kind === 'decision' ? body.aggregate.events : [])),
    ...projections.flatMap((projection) => projection.definitions),
  ])
  const onChannels = doers.filter((handler) => handler.channel !== undefined)
  return {
    registry,
    commands,
    onChannels,
    queries,
    projections,
    channels: channelsOf(onChannels, projections, parts.channels),
  }
}

function claimType(commands: Map<string, AnyHandler>, handler: AnyHandler): void {
  const { type } = handler.definition
  if (commands.has(type)) {
    throw new ObverseError('HANDLER_DUPLICATE', `Two handlers take the command ${type}; a command has exactly one`)
  }
  commands.set(type, handler)
}

function checkHandlerValue(handler: unknown, at: number): void {
  if (typeof handler === 'object' && handler !== null && 'definition' in handler) return
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `handlers[${at}] is ${typeof handler === 'function' ? 'a definition' : String(handler)}; give what handle(), decide() or answer() returns`,
  )
}

function checkQueries(queries: readonly QueryHandler[]): void {
  const types = new Set<string>()
  for (const { definition } of queries) {
    if (types.has(definition.type)) {
      throw new ObverseError('HANDLER_DUPLICATE', `Two handlers answer the query ${definition.type}; remove one`)
    }
    types.add(definition.type)
  }
}

/** A name is the scope of inbox marks: two handlers under one would each drop what the other has handled. */
function checkNames(all: readonly { readonly name: string }[]): void {
  const seen = new Set<string>()
  for (const { name } of all) {
    if (seen.has(name)) {
      throw new ObverseError(
        'HANDLER_DUPLICATE',
        `Two handlers or projections are named ${JSON.stringify(name)}; give one another name: handle(…, { name })`,
      )
    }
    seen.add(name)
  }
}

function checkHandled(
  messages: readonly AnyDefinition[],
  commands: ReadonlyMap<string, AnyHandler>,
  queries: readonly QueryHandler[],
): void {
  const asked = new Set(queries.map((query) => query.definition.type))
  for (const { type, kind } of messages) {
    if (kind === 'event' || commands.has(type) || asked.has(type)) continue
    throw new ObverseError('HANDLER_MISSING', `Nothing handles the ${kind} ${type}; add its handler to createApp()`)
  }
}

function channelsOf(
  handlers: readonly AnyHandler[],
  projections: readonly AnyProjection[],
  declared: Readonly<Record<string, ChannelOptions>> | undefined,
): ReadonlyMap<string, Channel> {
  const users = new Map<string, string>()
  for (const handler of handlers) users.set(handler.channel as string, handler.name)
  for (const { feed, name } of projections) if (feed.kind === 'channel') users.set(feed.channel, name)
  if (!declared) return new Map([...users.keys()].map((name) => [name, channel(name)]))
  for (const [name, user] of users) {
    if (name in declared) continue
    throw new ObverseError(
      'CHANNEL_UNKNOWN',
      `${user} names the channel ${JSON.stringify(name)}, which is not among: ${Object.keys(declared).join(', ')}`,
    )
  }
  return new Map(Object.entries(declared).map(([name, options]) => [name, channel(name, options)]))
}
