/** What travels beside the data. Every value is JSON. */
export interface Metadata {
  /** The same for everything that one request caused. */
  readonly correlationId: string
  /** Id of the message whose handling made this one; `null` at the edge. */
  readonly causationId: string | null
  /** Type of that message: a synchronous command leaves no other trace of what it was. */
  readonly causationType?: string
  /** Who asked, as the edge authenticated them. */
  readonly principal?: string
  /** W3C trace context of the span that made this message. */
  readonly traceparent?: string
  readonly [name: string]: unknown
}

/** Metadata of a message that enters the system: it correlates with itself unless the edge says otherwise. */
export function rootMetadata(messageId: string, given: Partial<Metadata> = {}): Metadata {
  return { ...given, correlationId: given.correlationId ?? messageId, causationId: given.causationId ?? null }
}

/** Metadata of a message made while handling `previous`: same correlation, caused by it, same principal and trace. */
export function follow(previous: {
  readonly id: string
  readonly type: string
  readonly metadata: Metadata
}): Metadata {
  return { ...previous.metadata, causationId: previous.id, causationType: previous.type }
}
