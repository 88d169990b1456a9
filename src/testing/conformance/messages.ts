import {
  type AnyDefinition,
  bodyOf,
  command,
  completeBody,
  type Delivery,
  event,
  type Metadata,
  type NewEvent,
  type NewMessage,
  type Outgoing,
  outgoing,
  readEnvelope,
  systemRuntime,
  unchecked,
  upcast,
} from 'obverse'

export const Opened: AnyDefinition<'event'> = event('contract.opened', unchecked<{ n: number }>(), {
  key: (data) => String(data.n),
})
export const Moved: AnyDefinition<'event'> = event('contract.moved', unchecked<{ n: number }>(), {
  key: (data) => String(data.n),
})
/** Version 2; what version 1 called `name` is `title` now. */
export const Renamed: AnyDefinition<'event'> = event('contract.renamed', unchecked<{ title: string; n: number }>(), {
  key: (data) => data.title,
  history: upcast<{ name: string }>().to((old) => ({ title: old.name, n: 0 })),
})
export const Go: AnyDefinition<'command'> = command('contract.go', unchecked<{ n: number }>())

export const definitions: readonly AnyDefinition[] = [Opened, Moved, Renamed, Go]

export interface MessageMore {
  readonly definition?: AnyDefinition
  readonly data?: unknown
  readonly id?: string
  readonly channels?: readonly string[]
  readonly due?: number
  readonly correlationId?: string
  readonly schemaVersion?: number
}

function make(definition: AnyDefinition, key: string | null, more: MessageMore): Outgoing {
  const id = more.id ?? systemRuntime.id()
  const metadata: Metadata = { correlationId: more.correlationId ?? id, causationId: null }
  const { type, kind } = definition
  const made = outgoing({ type, kind, data: more.data ?? { n: 1 } }, definition, {
    id,
    key,
    metadata,
    time: new Date(systemRuntime.now()).toISOString(),
    channels: more.channels ?? [],
    ...(more.due !== undefined && { due: more.due }),
  })
  return more.schemaVersion === undefined ? made : { ...made, schemaVersion: more.schemaVersion }
}

/** An event of `key`, on its way into the log. */
export function fact(key: string, n = 1, more: MessageMore = {}): NewEvent {
  return make(more.definition ?? Opened, key, { data: { n }, ...more }) as NewEvent
}

/** A command for the channel `work`. */
export function order(key: string | null, n = 1, more: MessageMore = {}): NewMessage {
  return { message: make(Go, key, { data: { n }, channels: ['work'], ...more }), tracked: true }
}

/** A delivery of a message that came from elsewhere: nothing of it is in the store. */
export function arrival(key: string | null, more: Partial<Delivery> & MessageMore = {}): Delivery {
  const { id, data, correlationId, definition = Opened, ...delivery } = more
  const message = make(definition, key, {
    ...(id !== undefined && { id }),
    ...(data !== undefined && { data }),
    ...(correlationId !== undefined && { correlationId }),
  })
  const body = completeBody(bodyOf(message), null)
  return {
    envelope: readEnvelope(body),
    body,
    channel: 'work',
    handler: 'h',
    ordered: true,
    attempts: 0,
    ...delivery,
  }
}
