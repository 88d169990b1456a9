import { ObverseError } from '../errors.ts'
import type { AnyDefinition, Kind, Message } from './define.ts'
import type { Envelope, EventEnvelope, Outgoing } from './envelope.ts'
import type { Metadata } from './metadata.ts'
import type { Registry } from './registry.ts'
import { fieldErrors, isUnchecked } from './schema.ts'

/** What the maker of a message knows and its definition does not. */
export interface Stamped {
  readonly id: string
  readonly time: string
  readonly key: string | null
  readonly metadata: Metadata
  readonly channels: readonly string[]
  readonly due?: number
}

/** Serialises `message` once; every row that will hold it is assembled from these texts. */
export function outgoing(message: Message, definition: AnyDefinition, stamped: Stamped): Outgoing {
  return {
    id: stamped.id,
    type: message.type,
    kind: message.kind,
    schemaVersion: definition.version,
    time: stamped.time,
    key: stamped.key,
    data: JSON.stringify(message.data ?? null),
    metadata: JSON.stringify(stamped.metadata),
    correlationId: stamped.metadata.correlationId,
    causationId: stamped.metadata.causationId,
    channels: stamped.channels,
    ...(stamped.due !== undefined && { due: stamped.due }),
  }
}

/** The body of an outbox row: self-describing JSON, all but `seq` and `position`. */
export function bodyOf(message: Outgoing): string {
  return (
    `{"id":${JSON.stringify(message.id)},"type":${JSON.stringify(message.type)},"kind":"${message.kind}",` +
    `"schemaVersion":${message.schemaVersion},"time":"${message.time}","key":${JSON.stringify(message.key)},` +
    `"data":${message.data},"metadata":${message.metadata}}`
  )
}

/** Puts `seq` and `position` into a body without parsing it. A body that is not ours (`seq` null) is left as it is. */
export function completeBody(body: string, seq: number | null, position?: number | null): string {
  if (seq === null) return body
  const place = position === null || position === undefined ? '' : `"position":${position},`
  return `{"seq":${seq},${place}${body.slice(1)}`
}

/** An envelope from the columns of a log row. Data that is older than its definition is upcast. */
export function envelopeOf(
  row: Omit<Outgoing, 'channels' | 'due' | 'correlationId' | 'causationId'> & { seq?: number; position?: number },
  registry: Registry,
): Envelope {
  const definition = registry.find(row.type)
  const data: unknown = JSON.parse(row.data)
  const { data: _, metadata, ...rest } = row
  const envelope = { ...rest, data, metadata: JSON.parse(metadata) as Metadata }
  if (!definition || row.schemaVersion >= definition.version) return envelope
  return {
    ...envelope,
    schemaVersion: definition.version,
    data: upcastTo(definition, row.schemaVersion, data),
  }
}

/** The events of one commit, each at the place that it has by it, as inline views are given them. */
export function envelopesOf(
  events: readonly Outgoing[],
  places: readonly { readonly seq: number; readonly position?: number }[],
  registry: Registry,
): readonly EventEnvelope[] {
  return events.map((event, at) => {
    const { id, type, kind, schemaVersion, time, key, data, metadata } = event
    const { seq, position } = places[at] as { readonly seq: number; readonly position?: number }
    const row = { id, type, kind, schemaVersion, time, key, data, metadata, seq }
    return envelopeOf(position === undefined ? row : { ...row, position }, registry) as EventEnvelope
  })
}

/** Characters of an id, a type and a key, as of those made here: stores keep them in indexes, which refuse longer ones. */
const LONGEST = 500
/** Columns have 32 bits for it. */
const LAST_VERSION = 2 ** 31 - 1

const KINDS: readonly unknown[] = ['command', 'query', 'event'] satisfies Kind[]

/**
 * Reads bytes that came from outside this process. Nothing is built from a name in them: the type is looked up.
 *
 * @throws {ObverseError} `MESSAGE_MALFORMED`, `MESSAGE_TYPE_UNKNOWN`, `MESSAGE_VERSION_UNKNOWN` or `MESSAGE_INVALID`;
 * all permanent: the message is a dead letter at once
 */
export function decode(body: string, registry: Registry): { envelope: Envelope; definition: AnyDefinition } {
  const raw = readEnvelope(body)
  const definition = registry.find(raw.type)
  if (!definition) {
    throw new ObverseError(
      'MESSAGE_TYPE_UNKNOWN',
      `No definition has the message type ${JSON.stringify(raw.type)}; is a newer version of the application running?`,
    )
  }
  if (definition.kind !== raw.kind) {
    throw malformed(`kind is ${JSON.stringify(raw.kind)} but ${raw.type} is a ${definition.kind}`)
  }
  if (raw.schemaVersion > definition.version) {
    throw new ObverseError(
      'MESSAGE_VERSION_UNKNOWN',
      `${raw.type} has version ${raw.schemaVersion}; this application knows versions up to ${definition.version}`,
    )
  }
  const current = raw.schemaVersion < definition.version ? upcastTo(definition, raw.schemaVersion, raw.data) : raw.data
  const checked = check(definition, current)
  // what is stored of an event is what its schema returned: it is not transformed once more
  const data = definition.kind === 'event' ? current : checked
  return { envelope: { ...raw, schemaVersion: definition.version, data }, definition }
}

/** Reads and checks the envelope only; the type may be unknown here. */
export function readEnvelope(body: string): Envelope {
  if (!body.isWellFormed()) throw malformed('it is not UTF-8')
  let raw: unknown
  try {
    raw = JSON.parse(body)
  } catch (cause) {
    throw new ObverseError('MESSAGE_MALFORMED', 'The message is not JSON', { cause })
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw malformed('it is not a JSON object')
  const message = raw as Record<string, unknown>
  for (const field of ['id', 'type', 'time'] as const) {
    if (typeof message[field] !== 'string' || message[field] === '') throw malformed(`${field} is not a text`)
    assertShort(field, message[field])
  }
  if (!KINDS.includes(message.kind)) throw malformed('kind is not command, query or event')
  if (!('data' in message)) throw malformed('data is missing')
  const key = message.key ?? null
  if (key !== null && typeof key !== 'string') throw malformed('key is neither a text nor null')
  assertShort('key', key ?? '')
  const version = message.schemaVersion ?? 1
  if (!wholeNumber(version) || version > LAST_VERSION) {
    throw malformed(`schemaVersion is not a whole number from 1 to ${LAST_VERSION}`)
  }
  const seq = message.seq
  if (seq !== undefined && !wholeNumber(seq)) throw malformed('seq is not a whole number from 1')
  const position = message.position
  if (position !== undefined && !wholeNumber(position)) throw malformed('position is not a whole number from 1')
  const id = message.id as string
  return {
    id,
    type: message.type as string,
    kind: message.kind as Kind,
    schemaVersion: version,
    time: message.time as string,
    key,
    ...(seq !== undefined && { seq }),
    ...(position !== undefined && { position }),
    data: message.data,
    metadata: metadataOf(message.metadata, id),
  }
}

function metadataOf(raw: unknown, id: string): Metadata {
  if (raw === undefined || raw === null) return { correlationId: id, causationId: null }
  if (typeof raw !== 'object' || Array.isArray(raw)) throw malformed('metadata is not an object')
  const { correlationId, causationId } = raw as Record<string, unknown>
  return {
    ...raw,
    correlationId: typeof correlationId === 'string' ? correlationId : id,
    causationId: typeof causationId === 'string' ? causationId : null,
  }
}

function upcastTo(definition: AnyDefinition, from: number, data: unknown): unknown {
  return definition.upcasters.slice(from - 1).reduce((old, step) => step(old), data)
}

function check(definition: AnyDefinition, data: unknown): unknown {
  if (isUnchecked(definition.schema)) return data
  const result = definition.schema['~standard'].validate(data)
  if (result instanceof Promise) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `The schema of ${definition.type} is asynchronous; a message on a channel needs a synchronous one`,
    )
  }
  if (!result.issues) return result.value
  const fields = fieldErrors(result.issues)
  const listed = Object.entries(fields).map(([path, texts]) => `${path || 'data'}: ${texts.join(', ')}`)
  throw new ObverseError('MESSAGE_INVALID', `The data of ${definition.type} fails its schema; ${listed.join('; ')}`, {
    fields,
  })
}

function assertShort(field: string, { length }: string): void {
  if (length > LONGEST) throw malformed(`${field} has ${length} characters; at most ${LONGEST} are allowed`)
}

function wholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

function malformed(what: string): ObverseError {
  return new ObverseError('MESSAGE_MALFORMED', `The message is malformed: ${what}`)
}
