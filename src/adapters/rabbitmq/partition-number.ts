import type { ChannelModel } from 'amqplib'
import { ObverseError } from 'obverse'
import { briefly } from './amqp-channel.ts'
import { countOf, isForbidden } from './declare.ts'
import { differenceIn } from './difference.ts'
import { queueNames, routingKey } from './partition.ts'

export interface PartitionPlan {
  readonly channel: string
  readonly partitions: number
  /** Through which it is published; the names of markers begin with it. */
  readonly exchange: string
  /** Whether a drained channel may get another number. */
  readonly mayChange: boolean
}

/**
 * Makes the number of partitions that the server keeps for a channel the wanted one. Queues are never deleted for that: those of an older
 * number lose their bindings, so that nothing reaches them any more, and stay, empty, until somebody deletes them.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` while the channel has another number and is in use, or still has messages
 */
export async function settlePartitions(model: ChannelModel, plan: PartitionPlan): Promise<void> {
  const stored = await mark(model, plan)
  if (stored === plan.partitions) return
  if (!plan.mayChange) throw disagreement(plan, stored, 'another process has changed it')
  await leave(model, plan, stored)
  await briefly(model, (amqp) => amqp.deleteExchange(markerName(plan)))
  const since = await mark(model, plan)
  if (since !== plan.partitions) throw disagreement(plan, since, 'another process has just declared it')
}

/**
 * The number is kept in an exchange that nobody publishes to: the server compares its alternate exchange with the one declared, in one step, so
 * of two processes that disagree one is told so.
 */
function markerName({ exchange, channel }: PartitionPlan): string {
  return `${exchange}.${channel}`
}

/** Gives the number that is there, which is the wanted one if there was none. */
async function mark(model: ChannelModel, plan: PartitionPlan): Promise<number> {
  const prefix = `${plan.exchange}.partitions.`
  const options = { durable: true, alternateExchange: `${prefix}${plan.partitions}` }
  try {
    await briefly(model, (amqp) => amqp.assertExchange(markerName(plan), 'direct', options))
    return plan.partitions
  } catch (error) {
    // who may not declare uses what others have declared
    if (isForbidden(error)) return plan.partitions
    const { argument, found } = differenceIn(error) ?? {}
    if (argument !== 'alternate-exchange' || typeof found !== 'string' || !found.startsWith(prefix)) throw error
    return Number(found.slice(prefix.length))
  }
}

/** First the door is closed, then it is looked whether anybody is left inside. */
async function leave(model: ChannelModel, plan: PartitionPlan, stored: number): Promise<void> {
  const { channel, exchange } = plan
  const queues = queueNames(channel, stored)
  const left = await leftIn(model, queues)
  if (left.length > 0) throw disagreement(plan, stored, `not drained: ${left.join(', ')}`)
  const doors = queues.map((queue, index) => [queue, routingKey(channel, stored, index)] as const)
  for (const [queue, key] of doors) {
    if (await countOf(model, queue)) await briefly(model, (amqp) => amqp.unbindQueue(queue, exchange, key))
  }
  const late = await leftIn(model, queues)
  if (late.length === 0) return
  for (const [queue, key] of doors) await briefly(model, (amqp) => amqp.bindQueue(queue, exchange, key))
  throw disagreement(plan, stored, `not drained: ${late.join(', ')}`)
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
