import type { Delivery } from '../message/delivery.ts'

/**
 * PORT. Messages that must wait, as rows: a retry's delay, what is behind it in its lane, dead letters.
 *
 * A lane is (handler, key). Its rows are in order of arrival; only the head may run. While a lane has rows, new
 * messages of it join (the unit of `write/` does that). A dead letter is a head that waits for a person.
 */
export interface HeldRows {
  /**
   * Holds one failed delivery and settles its queue row in the same transaction. A delivery that was held already
   * (`heldId`) keeps its place; if its row is gone, or is not claimed by this process any more, nothing is done. A message
   * that was handled meanwhile is only settled; one that has a row for this handler gets no second one. Not ordered:
   * blocks nobody (a refused command comes so, whatever its row said before).
   */
  hold(delivery: Delivery, failure: Failure): Promise<void>
  /** Puts deliveries behind what their lanes hold, in order, settling them; for batches. */
  join(deliveries: readonly Delivery[]): Promise<void>
  /** Which of the lanes have blocking rows. */
  blocked(lanes: readonly Lane[]): Promise<readonly Lane[]>
  /**
   * Takes up to `limit` heads for `owner` that may run now: due retries, and messages whose lane's earlier rows are
   * gone. Only handlers in `handlers`. A claim lapses with its owner, or when the store is closed that it was made
   * through; then it counts as lost.
   */
  claim(owner: string, handlers: readonly string[], limit: number): Promise<readonly HeldRow[]>
  /** Epoch ms at which the next head becomes due; `undefined`: none. */
  nextDue(handlers: readonly string[]): Promise<number | undefined>
  /**
   * Keeps bytes that no handler can be found for; nothing waits behind them. Settles the queue row. One row for the
   * same bytes on one channel, as long as their id can be read. A status row of this id that is pending becomes `failed`,
   * unless the code says that the message is taken back once a newer version runs (unknown type or version).
   */
  refuse(refused: RefusedMessage): Promise<void>
  /** Heads of a projection's lanes that its batch has handled: the rows go. (A handler's own transaction does it.) */
  done(owner: string, ids: readonly number[]): Promise<void>
  /** Gives heads back that were claimed and did not run. */
  release(owner: string, ids: readonly number[]): Promise<void>
  /** How many rows there are, by handler and state; refused ones, which have no handler, under the empty name. */
  counts(): Promise<readonly HeldCount[]>
}

export interface HeldCount {
  /** `null`: messages that no handler could be found for. */
  readonly handler: string | null
  readonly channel: string
  readonly state: HeldState
  readonly count: number
}

/** `retry`: due later. `waiting`: behind another. `dead`: given up, blocks its lane. `skipped`: given up for good, on record. */
export type HeldState = 'retry' | 'waiting' | 'dead' | 'skipped'

export interface Lane {
  readonly handler: string
  readonly key: string
}

export interface Failure {
  /** Epoch ms of the next try; `undefined`: given up, a dead letter. */
  readonly retryAt?: number
  readonly attempts: number
  /** Code of the error, or its class name. */
  readonly code: string
  /** One line. */
  readonly reason: string
  /** Stack and causes, for operators. */
  readonly detail: string
  /** Set for an asynchronous command: a dead letter ends its status row as `failed` with this. */
  readonly tracked?: boolean
}

export interface HeldRow extends Omit<Delivery, 'envelope'> {
  readonly heldId: number
  readonly messageId: string
  /** False: no owner of an earlier claim was lost. Otherwise its attempt is recorded before its handler runs. */
  readonly redelivered?: boolean
}

export interface RefusedMessage {
  readonly channel: string
  readonly body: string
  readonly code: string
  readonly reason: string
  readonly settlement?: Delivery['settlement']
  /** As far as they could be read. */
  readonly messageId?: string
  readonly type?: string
}
