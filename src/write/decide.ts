import type { AnyDefinition, DataOf, MessageOf } from '../message/define.ts'
import type { Aggregate } from './aggregate.ts'
import { checkHandler, type Handler, type HandlerOptions, handlerName } from './handle.ts'
import type { Refusal } from './refuse.ts'

export type Decision<E extends AnyDefinition> = MessageOf<E> | readonly MessageOf<E>[] | Refusal

export interface DecideOptions<
  C extends AnyDefinition,
  S,
  E extends AnyDefinition<'event'>,
  Ch extends string | undefined,
> extends HandlerOptions {
  readonly aggregate: Aggregate<string, S, E>
  /** The aggregate's id: the key of the events. */
  readonly id: (data: DataOf<C>) => string
  readonly channel?: Ch
}

/**
 * Handles a command by a pure decision: the aggregate is loaded, `decision` returns the events or a refusal, and they
 * are appended with the loaded version expected. On a conflict the decision is made again, a few times.
 *
 * @example
 * const placeOrder = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId },
 *   (c, state) => state.status === 'none' ? OrderPlaced(c) : refuse('already placed'))
 */
export function decide<
  C extends AnyDefinition<'command'>,
  S,
  E extends AnyDefinition<'event'>,
  const Ch extends string | undefined = undefined,
>(
  definition: C,
  options: DecideOptions<C, S, E, Ch>,
  decision: (data: DataOf<C>, state: S) => Decision<E>,
): Handler<C, void, Ch> {
  checkHandler(definition, options, ['aggregate', 'id', 'channel', 'retry', 'timeout'], decision)
  const { aggregate, id, channel, ...rest } = options
  return {
    definition,
    name: handlerName(definition, channel),
    channel: channel as Ch,
    options: rest,
    body: { kind: 'decision', aggregate, id, decide: decision },
  }
}
