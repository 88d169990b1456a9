import type { Message } from '../message/define.ts'
import type { Envelope } from '../message/envelope.ts'

/** What a handler is given beside the data. Everything it publishes and sends goes into the one commit. */
export interface HandlerContext<DB = undefined> {
  /** Id of the message that is handled: the same on every attempt, so it can key an effect elsewhere. */
  readonly messageId: string
  readonly message: Envelope
  readonly principal: string | undefined
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Aborted when the handler's time is up or the process drains for too long. */
  readonly signal: AbortSignal
  /**
   * The application's tables, inside the transaction. The handler's turn to write begins at the first statement;
   * between statements await nothing else: after a second the turn is taken away (`HANDLER_TOO_SLOW`).
   */
  readonly db: DB
  /** Adds an event to the commit. Its key is that of its definition. */
  publish(event: Message<string, unknown, 'event'>): void
  /** Sends an asynchronous command with the commit; returns its message id. */
  send(command: Message<string, unknown, 'command'>, options?: DeliveryOptions): string
  /** Calls off, with the commit, a message that has not started. */
  cancel(messageId: string): void
  /** A new UUID v7. */
  id(): string
  now(): Date
}

export interface DeliveryOptions {
  /** Milliseconds. Not earlier; later is possible. */
  readonly delay?: number
  /** Not before this moment. */
  readonly at?: Date
  /** Overrides the key of the command's definition. */
  readonly key?: string
}
