import { ObverseError } from '../errors.ts'
import { outgoing } from '../message/codec.ts'
import { type AnyDefinition, DEFINITION, type Message } from '../message/define.ts'
import type { Outgoing } from '../message/envelope.ts'
import { follow, type Metadata } from '../message/metadata.ts'
import { isUnchecked, parse } from '../message/schema.ts'
import { isoTime, type Runtime } from '../runtime/clock.ts'
import type { DeliveryOptions } from './context.ts'
import type { NewEvent } from './event-store.ts'
import type { NewMessage } from './outbox.ts'
import type { Unit } from './transaction.ts'

/** What a unit needs to know of the application around it. */
export interface Surroundings {
  readonly runtime: Runtime
  /** Channels that take messages of a type. */
  readonly route: (type: string) => readonly string[]
  /** Epoch ms at which a delayed message is due; checks the options. */
  readonly due: (options: DeliveryOptions) => number | undefined
  readonly payloadLimit: number
  readonly eventLimit: number
  /** Told of every unit that was committed, so that its messages can be seen on their way. */
  readonly committed: (unit: Unit) => void
  /** Fills inline views with a unit's events; absent where there are none. */
  readonly inline?: InlineViews
}

export interface InlineViews {
  readonly types: ReadonlySet<string>
  /** Awaited before a transaction that may project. */
  ready(): Promise<void>
  readonly project: NonNullable<Unit['project']>
}

/** The message that is handled, as far as its children need it. */
export interface Parent {
  readonly id: string
  readonly type: string
  readonly metadata: Metadata
  /** The message enters the system itself: its metadata is used as it is, not followed. */
  readonly isRoot?: true
}

/** Gathers what one handler publishes and sends; each message is checked and serialised once, here. */
export class UnitBuilder {
  readonly events: NewEvent[] = []
  readonly messages: NewMessage[] = []
  readonly cancelled: string[] = []
  readonly #around: Surroundings
  readonly #parent: Parent
  #metadata: Metadata | undefined
  #built = false

  constructor(around: Surroundings, parent: Parent) {
    this.#around = around
    this.#parent = parent
  }

  publish(event: Message, aggregateId?: string): void {
    this.#open('publish')
    const definition = definitionOf(event)
    if (definition.kind !== 'event') throw wrongKind(event, 'publish', 'an event')
    if (this.events.length >= this.#around.eventLimit) {
      throw new ObverseError(
        'PAYLOAD_TOO_LARGE',
        `One commit may hold ${this.#around.eventLimit} events; publish the rest from another command`,
      )
    }
    const data = checked(definition, event.data)
    const key = definition.key?.(data) ?? aggregateId
    if (typeof key !== 'string' || key === '') {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `${event.type} has no key; give its definition one: event(…, { key: (e) => e.orderId })`,
      )
    }
    checkKey(event.type, key)
    const stamped = { key, channels: this.#around.route(event.type) }
    const stored = this.#serialise(definition, data, this.#around.runtime.id(), stamped) as NewEvent
    checkStoredForm(definition, stored)
    this.events.push(stored)
  }

  /** Adds an asynchronous command; the data goes as it was given, its schema is applied here and by the consumer. */
  send(command: Message, options: DeliveryOptions = {}, id: string = this.#around.runtime.id()): string {
    this.#open('send')
    const definition = definitionOf(command)
    if (definition.kind !== 'command') throw wrongKind(command, 'send', 'a command')
    const channels = this.#around.route(command.type)
    if (channels.length === 0) {
      throw new ObverseError(
        'HANDLER_MISSING',
        `${command.type} cannot be sent from a handler: give its own handler a channel, so that it runs after this commit`,
      )
    }
    const key = options.key ?? definition.key?.(checked(definition, command.data)) ?? null
    if (key !== null) checkKey(command.type, key)
    const due = this.#around.due(options)
    const stamped = { key, channels, ...(due !== undefined && { due }) }
    this.messages.push({ message: this.#serialise(definition, command.data, id, stamped), tracked: true })
    return id
  }

  cancel(messageId: string): void {
    this.#open('cancel')
    this.cancelled.push(messageId)
  }

  build(more: Partial<Unit> = {}): Unit {
    this.#built = true
    const { inline } = this.#around
    return {
      ...(inline && this.events.some(({ type }) => inline.types.has(type)) && { project: inline.project }),
      events: this.events,
      messages: this.messages,
      ...(this.cancelled.length > 0 && { cancel: this.cancelled }),
      ...more,
    }
  }

  get isEmpty(): boolean {
    return this.events.length === 0 && this.messages.length === 0 && this.cancelled.length === 0
  }

  /** What comes after the handler has returned would be lost silently. */
  #open(verb: string): void {
    if (!this.#built) return
    throw new ObverseError(
      'TURN_OVER',
      `The handler of ${this.#parent.type} used ctx.${verb}() after it had returned; await everything inside the handler`,
    )
  }

  #serialise(
    definition: AnyDefinition,
    data: unknown,
    id: string,
    stamped: { key: string | null; channels: readonly string[]; due?: number },
  ): Outgoing {
    const { runtime, payloadLimit } = this.#around
    this.#metadata ??= this.#parent.isRoot ? this.#parent.metadata : follow(this.#parent)
    const message = outgoing({ type: definition.type, kind: definition.kind, data }, definition, {
      id,
      time: isoTime(runtime.now()),
      metadata: this.#metadata,
      ...stamped,
    })
    if (message.data.length > payloadLimit) {
      throw new ObverseError(
        'PAYLOAD_TOO_LARGE',
        `The data of ${definition.type} has ${message.data.length} characters; at most ${payloadLimit} are allowed`,
      )
    }
    return message
  }
}

/** The definition that made `message`. @throws {ObverseError} `MESSAGE_TYPE_UNKNOWN` for an object made by hand */
export function definitionOf(message: Message): AnyDefinition {
  const definition = message?.[DEFINITION]
  if (definition) return definition
  throw new ObverseError(
    'MESSAGE_TYPE_UNKNOWN',
    `${JSON.stringify((message as Message | undefined)?.type ?? message)} was not made by a definition; call the definition: PlaceOrder({ … })`,
  )
}

/** A handler that makes a bad message is at fault, not its caller: never a `VALIDATION_FAILED`. */
function checked(definition: AnyDefinition, data: unknown): unknown {
  if (isUnchecked(definition.schema)) return data
  let value: unknown
  try {
    value = parse(definition.schema, data, definition.type)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ObverseError('HANDLER_FAILED', `A handler made a message that its own schema refuses: ${why}`, { cause })
  }
  if (value instanceof Promise) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `The schema of ${definition.type} is asynchronous; what is published or sent needs a synchronous one`,
    )
  }
  return value
}

/** Characters of a key: it is in indexes, and in tokens that travel in headers. */
const LONGEST_KEY = 500

/** Half of a surrogate pair is another text after every store: two keys would become one. */
function checkKey(type: string, key: string): void {
  if (key.length <= LONGEST_KEY && key.isWellFormed() && !key.includes('\0')) return
  throw new ObverseError(
    'UNPROCESSABLE',
    `The key of ${type} needs at most ${LONGEST_KEY} characters, well formed and without NUL; it is ${JSON.stringify(key.slice(0, 100))}`,
  )
}

const formsChecked = new WeakSet<AnyDefinition>()

/**
 * Once for each definition: its schema must take back what JSON makes of its data. A `Date` becomes a text, and every
 * consumer would refuse the event that was stored.
 */
function checkStoredForm(definition: AnyDefinition, stored: NewEvent): void {
  if (formsChecked.has(definition)) return
  try {
    checked(definition, JSON.parse(stored.data))
  } catch (cause) {
    throw new ObverseError(
      'HANDLER_FAILED',
      `${definition.type} does not survive being stored as JSON: ${cause instanceof Error ? cause.message : cause}; use texts and numbers, not Date, Map or BigInt`,
      { cause },
    )
  }
  formsChecked.add(definition)
}

function wrongKind(message: Message, verb: string, wanted: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', `${verb}() takes ${wanted}; ${message.type} is a ${message.kind}`)
}
