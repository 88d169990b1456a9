import type { ChannelModel } from 'amqplib'
import type { ChannelStats } from 'obverse'
import { briefly } from './amqp-channel.ts'
import { countOf, isMissing, type QueueCount } from './declare.ts'
import type { Management } from './management.ts'
import { queueNames } from './partition.ts'

export interface StatsQuestion {
  readonly model: ChannelModel
  /** Channel → number of partitions. */
  readonly channels: ReadonlyMap<string, number>
  /** What this process has taken of a channel: handed over and not settled, or still to be handed over; and with how many consumers. */
  readonly own: (channel: string) => { readonly open: number; readonly waiting: number; readonly consumers: number }
  readonly management: Management | undefined
}

/**
 * Counts by asking for each queue passively: what waits is exact, and so is what this process has taken. What others have taken only the
 * management plugin knows, some seconds late: it is asked where there are others.
 */
export async function channelStats({
  model,
  channels,
  own,
  management,
}: StatsQuestion): Promise<readonly ChannelStats[]> {
  const counts = await countAll(
    model,
    [...channels].flatMap(([channel, partitions]) => queueNames(channel, partitions)),
  )
  return Promise.all(
    [...channels].map(async ([channel, partitions]) => {
      const queues = queueNames(channel, partitions)
      const ready = sum(queues.map((queue) => counts.get(queue)?.messages ?? 0))
      const consumers = queues.map((queue) => counts.get(queue)?.consumers ?? 0)
      const { open, waiting, consumers: mine } = own(channel)
      const taken = sum(consumers) > mine ? await takenBy(queues, management) : 0
      const unsettled = Math.max(open, taken - waiting)
      // each consuming process has one consumer on every queue
      return { channel, messages: ready + waiting + unsettled, unsettled, consumers: Math.max(...consumers) }
    }),
  )
}

/** In one go; one by one where a queue is missing, which ends the AMQP channel. */
async function countAll(model: ChannelModel, queues: readonly string[]): Promise<ReadonlyMap<string, QueueCount>> {
  try {
    const answers = await briefly(model, (amqp) => Promise.all(queues.map((queue) => amqp.checkQueue(queue))))
    return new Map(
      answers.map(({ queue, messageCount, consumerCount }) => [
        queue,
        { messages: messageCount, consumers: consumerCount },
      ]),
    )
  } catch (error) {
    if (!isMissing(error)) throw error
    const counts = new Map<string, QueueCount>()
    for (const queue of queues) {
      const count = await countOf(model, queue)
      if (count) counts.set(queue, count)
    }
    return counts
  }
}

async function takenBy(queues: readonly string[], management: Management | undefined): Promise<number> {
  if (!management) return 0
  try {
    const told = await Promise.all(queues.map((queue) => management.queue(queue)))
    return sum(told.map(({ messages_unacknowledged: count = 0 }) => count))
  } catch {
    return 0
  }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
