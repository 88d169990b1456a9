import type { ChannelModel } from 'amqplib'
import { ObverseError } from 'obverse'
import { briefly } from './amqp-channel.ts'
import { countOf } from './declare.ts'
import { differenceIn } from './difference.ts'
import { markerName, queueNames, routingKey } from './partition.ts'
import type { QueuePlan } from './queue.ts'

export interface PartitionPlan {
  readonly channel: string
  readonly partitions: number
  readonly exchange: string
  readonly marker: QueuePlan['arguments']
  /** Whether a drained channel may get another number. */
  readonly mayChange: boolean
}

/**
 * Makes the number of partitions that the server keeps for a channel the wanted one. The number is compared by the server in one step,
 * so of two processes that disagree one gets the error. Queues are never deleted: those of an older number lose their bindings, so that
 * nothing reaches them any more, and stay, empty, until somebody deletes them.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` while the channel has another number and is in use, or still has messages
 */
export async function settlePartitions(model: ChannelModel, plan: PartitionPlan): Promise<void> {
  const { channel, partitions } = plan
  const stored = await storedNumber(model, plan)
  if (stored !== undefined && stored !== partitions) {
    if (!plan.mayChange) throw disagreement(plan, stored, 'another process has changed it')
    await leave(model, plan, stored)
  }
  if (partitions === 1) return
  const kept = await storedNumber(model, plan, true)
  if (kept !== partitions) throw disagreement(plan, kept ?? 1, `another process has just declared ${channel}`)
}

/** After the queue of the only partition was bound: somebody may have declared several meanwhile. */
export async function assertUnmarked(model: ChannelModel, plan: PartitionPlan): Promise<void> {
  if (plan.partitions > 1 || !(await countOf(model, markerName(plan.channel)))) return
  const stored = await storedNumber(model, plan)
  throw disagreement(plan, stored ?? 1, 'another process has just declared it')
}

/** Undefined: the channel is not there. */
async function storedNumber(model: ChannelModel, plan: PartitionPlan, mark = false): Promise<number | undefined> {
  const { channel, partitions } = plan
  if (!mark && !(await countOf(model, markerName(channel)))) {
    return (await countOf(model, channel)) ? 1 : undefined
  }
  try {
    await briefly(model, (amqp) => amqp.assertQueue(markerName(channel), { durable: true, arguments: plan.marker }))
    return partitions
  } catch (error) {
    const { argument, found } = differenceIn(error) ?? {}
    if (argument === 'x-max-length' && typeof found === 'number') return found
    throw error
  }
}

/** First the door is closed, then it is looked whether anybody is left inside. */
async function leave(model: ChannelModel, plan: PartitionPlan, stored: number): Promise<void> {
  const { channel, exchange } = plan
  const left = await leftIn(model, queueNames(channel, stored))
  if (left.length > 0) throw disagreement(plan, stored, `not drained: ${left.join(', ')}`)
  const doors = queueNames(channel, stored).map((queue, index) => [queue, routingKey(channel, stored, index)] as const)
  for (const [queue, key] of doors) {
    if (await countOf(model, queue)) await briefly(model, (amqp) => amqp.unbindQueue(queue, exchange, key))
  }
  const late = await leftIn(model, queueNames(channel, stored))
  if (late.length > 0) {
    for (const [queue, key] of doors) await briefly(model, (amqp) => amqp.bindQueue(queue, exchange, key))
    throw disagreement(plan, stored, `not drained: ${late.join(', ')}`)
  }
  if (stored > 1) await briefly(model, (amqp) => amqp.deleteQueue(markerName(channel)))
}

async function leftIn(model: ChannelModel, queues: readonly string[]): Promise<readonly string[]> {
  const left: string[] = []
  for (const queue of queues) {
    const { messages = 0, consumers = 0 } = (await countOf(model, queue)) ?? {}
    if (messages > 0) left.push(`${messages} ${messages === 1 ? 'message' : 'messages'} in ${queue}`)
    if (consumers > 0) left.push(`${consumers} ${consumers === 1 ? 'consumer' : 'consumers'} of ${queue}`)
  }
  return left
}

function disagreement({ channel, partitions }: PartitionPlan, stored: number, why: string): ObverseError {
  return new ObverseError(
    'CONFIGURATION_INVALID',
    `The channel ${channel} has ${stored} ${stored === 1 ? 'partition' : 'partitions'} on the server, and ${partitions} here ` +
      `(${why}). Set partitions: ${stored}; or let consumers with ${stored} empty it, stop every process that uses it, and start with ` +
      `${partitions} then`,
  )
}

/** A queue of another number of partitions that still exists. */
export interface Leftover {
  readonly queue: string
  readonly messages: number
}

/** Looks for queues of other numbers of partitions. */
export async function leftovers(
  model: ChannelModel,
  channel: string,
  partitions: number,
): Promise<readonly Leftover[]> {
  const found: Leftover[] = []
  const look = async (queue: string): Promise<boolean> => {
    const count = await countOf(model, queue)
    if (count) found.push({ queue, messages: count.messages })
    return count !== undefined
  }
  if (partitions > 1) await look(channel)
  for (let index = partitions === 1 ? 0 : partitions; await look(`${channel}.${index}`); index += 1);
  return found
}
