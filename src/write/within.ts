import { ObverseError } from '../errors.ts'
import { type Metadata, rootMetadata } from '../message/metadata.ts'
import type { Runtime } from '../runtime/clock.ts'
import { tokenOf } from './command-bus.ts'
import type { HandlerContext } from './context.ts'
import type { Placed, SqlConnection, Transactions } from './transaction.ts'
import { type Surroundings, UnitBuilder } from './unit-builder.ts'

/** What is published, sent and called off with a transaction of the application: the words of a handler's context. */
export type WithinContext = Pick<HandlerContext, 'publish' | 'send' | 'cancel'>

export interface WithinOptions {
  /** The seq that a key's last event must have, 0: it has none. Keys that are missing are appended to as they are. */
  readonly expected?: Readonly<Record<string, number>>
  readonly principal?: string
  /** Correlation and trace of the caller. */
  readonly metadata?: Partial<Metadata>
  /** What traces show as the cause of the events. Default `transaction`. */
  readonly name?: string
}

/** What was written: it is there once the transaction is committed, or never. */
export interface Written<R> {
  /** Stands for all of it, in `status` and `trace`. */
  readonly messageId: string
  /** What the function has returned. */
  readonly result: R
  /** In the order in which they were published. */
  readonly events: readonly Placed[]
  /** For `ask(…, { after })`, after the commit. */
  readonly token: string
  /** To be called after the commit: consumers look at once. Without it they find everything at their next look. */
  committed(): void
}

export type Within = <R>(
  connection: SqlConnection,
  work: (context: WithinContext) => R | Promise<R>,
  options?: WithinOptions,
) => Promise<Written<R>>

/** Writes what a function publishes and sends into a transaction that is not ours: outbox, log and inline views. */
export function createWithin(
  transactions: Pick<Transactions, 'join'>,
  around: Surroundings,
  runtime: Runtime,
  storeName: string,
): Within {
  return async (connection, work, options = {}) => {
    const { expected = {}, principal, metadata: given, name = 'transaction' } = options
    if (!transactions.join) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `The store ${storeName} cannot join a transaction of yours; write your tables in a handler, with ctx.db`,
      )
    }
    const id = runtime.id()
    const metadata = rootMetadata(id, { ...given, ...(principal !== undefined && { principal }) })
    const builder = new UnitBuilder(around, { id, type: name, metadata })
    const result = await work({
      publish: (event) => builder.publish(event),
      send: (command, delivery) => builder.send(command, delivery),
      cancel: (messageId) => builder.cancel(messageId),
    })
    const unit = builder.build({ expected: new Map(Object.entries(expected)) })
    if (unit.project) await around.inline?.ready()
    const joined = await transactions.join(connection, unit)
    return {
      messageId: id,
      result,
      events: joined.events,
      token: tokenOf(joined.events, id, metadata),
      committed() {
        around.committed(unit)
        joined.committed()
      },
    }
  }
}
