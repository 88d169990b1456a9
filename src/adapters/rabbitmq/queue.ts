import type { ChannelDeclaration } from 'obverse'
import type { ArgumentValue } from './difference.ts'
import type { Settings } from './options.ts'
import { type Behaviour, timeoutToAskFor } from './version.ts'

/** A queue as it is to be. All are durable, none is exclusive, none goes away by itself. */
export interface QueuePlan {
  readonly name: string
  readonly arguments: Readonly<Record<string, ArgumentValue>>
  /** Keys under which the exchange gives it messages. */
  readonly keys: readonly string[]
}

/** Arguments of the queues of a channel, for the server that is there. */
export function channelArguments(
  { ordered = true, timeout }: ChannelDeclaration,
  { queues, exchange, failed, deliveryLimit }: Settings,
  behaviour: Behaviour,
): QueuePlan['arguments'] {
  const { deliveryLimitCanBeOff, givesUpAtLeastOnce, acknowledgementTimeoutBy } = behaviour
  const quorum = queues === 'quorum'
  const wait = acknowledgementTimeoutBy === 'queue' ? timeoutToAskFor(timeout, behaviour) : undefined
  return {
    'x-queue-type': queues,
    ...(ordered && { 'x-single-active-consumer': true }),
    'x-dead-letter-exchange': exchange,
    'x-dead-letter-routing-key': failed,
    ...(quorum && givesUpAtLeastOnce && { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' }),
    ...(quorum && limitArgument(deliveryLimit, deliveryLimitCanBeOff)),
    ...(wait !== undefined && { 'x-consumer-timeout': wait }),
  }
}

/** Arguments of the queue in which the server puts what it gives up; nothing is given up from there. */
export function failedArguments({ queues }: Settings, { deliveryLimitCanBeOff }: Behaviour): QueuePlan['arguments'] {
  return { 'x-queue-type': queues, ...(queues === 'quorum' && limitArgument(undefined, deliveryLimitCanBeOff)) }
}

function limitArgument(limit: number | undefined, canBeOff: boolean): QueuePlan['arguments'] {
  if (limit !== undefined) return { 'x-delivery-limit': limit }
  return canBeOff ? { 'x-delivery-limit': -1 } : {}
}

/** Of a subscription: a time of its own, where the server takes one. Given always there, so that no configured time is too short. */
export function consumerArguments(
  timeout: number | undefined,
  { queues }: Pick<Settings, 'queues'>,
  behaviour: Behaviour,
): QueuePlan['arguments'] {
  if (behaviour.acknowledgementTimeoutBy !== 'consumer' || queues !== 'quorum') return {}
  return { 'x-consumer-timeout': timeoutToAskFor(timeout, behaviour) ?? behaviour.acknowledgementTimeout }
}
