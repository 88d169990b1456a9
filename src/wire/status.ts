/** PORT. What became of accepted asynchronous messages. Rows are written by units and by held rows. */
export interface Statuses {
  get(messageId: string): Promise<MessageStatus | undefined>
  /** Tracked messages of one correlation, oldest first; within a millisecond in no order. */
  correlated(correlationId: string, limit: number): Promise<readonly MessageStatus[]>
  /**
   * Calls off a command that is delayed or was never taken: its rows go, its status becomes `cancelled`. False: too late
   * (taken once, published, handled), unknown, or an event, which is a fact.
   */
  cancel(messageId: string): Promise<boolean>
}

export interface MessageStatus {
  readonly messageId: string
  readonly type: string
  readonly state: 'pending' | 'done' | 'failed' | 'cancelled'
  /** JSON text of the handler's result, when done. */
  readonly result?: string
  readonly code?: string
  readonly reason?: string
  readonly correlationId: string
  readonly causationId: string | null
  /** ISO 8601: accepted, and last changed. */
  readonly acceptedAt: string
  readonly changedAt: string
  /** ISO 8601: not before. */
  readonly due?: string
}
