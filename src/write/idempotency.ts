/** An idempotency key of a client, scoped by principal and command. */
export interface Claim {
  readonly principal: string
  readonly command: string
  readonly key: string
  /** Hash of the body, to tell a repeat from a reuse. */
  readonly fingerprint: string
}

/** What is repeated to a client that asks again: a result or a refusal, never an error of ours. */
export interface Answer {
  readonly outcome: 'done' | 'refused'
  /** The result, or `{ code, message, fields, reason }`, as JSON text. */
  readonly body: string
  readonly token: string
}
