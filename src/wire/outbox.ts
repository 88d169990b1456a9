/** PORT, the relay's half: rows of a store whose broker is elsewhere. (Adding is part of a unit of `write/`.) */
export interface Outbox {
  /**
   * Takes up to `limit` rows that are due for `owner`: for each channel and key only the oldest, so that at most one
   * message of a key is unconfirmed per destination. Rows of live owners, this one too, are not taken.
   */
  claim(owner: string, limit: number): Promise<readonly OutboxRow[]>
  /** Confirmed by the broker: the rows go. */
  done(owner: string, ids: readonly number[]): Promise<void>
  /** Returned or unknown: the rows stay and are claimed again after `retryAt` (epoch ms). */
  failed(owner: string, ids: readonly number[], retryAt: number, reason: string): Promise<void>
  /** Rows that are there, delayed ones too, and the age of the oldest in milliseconds: for health and limits. */
  waiting(): Promise<{ readonly count: number; readonly oldest?: number }>
}

export interface OutboxRow {
  readonly id: number
  readonly messageId: string
  readonly channel: string
  readonly key: string | null
  /** Complete: seq and position are in it. */
  readonly body: string
}
