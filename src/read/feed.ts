import type { EventEnvelope } from '../message/envelope.ts'

/** PORT. The log, read forward. Never skips: whatever commits late gets a later position. */
export interface Log {
  /** Events with a position above `after`, ascending, at most `limit`; only `types` if given. */
  after(after: number, limit: number, types?: readonly string[]): Promise<LogPage>
  /** Events of some keys between two seqs (both exclusive), in key and seq order, stamped or not. One query. */
  between(ranges: readonly KeyRange[], types: readonly string[]): Promise<readonly EventEnvelope[]>
  /** Position of one event; `undefined`: not there or not stamped yet. */
  positionOf(key: string, seq: number): Promise<number | undefined>
  /** Position of the last stamped event; 0: none. */
  head(): Promise<number>
  /** Events of one correlation, oldest first: for traces. */
  correlated(correlationId: string, limit: number): Promise<readonly EventEnvelope[]>
  /** One event by its id. */
  byId(id: string): Promise<EventEnvelope | undefined>
}

export interface LogPage {
  readonly events: readonly EventEnvelope[]
  /** Everything up to here was looked at, so a reader of few types may move on over what it does not handle. */
  readonly scannedTo: number
}

export interface KeyRange {
  readonly key: string
  readonly after: number
  readonly before: number
}
