import type { ChannelModel } from 'amqplib'
import type { ChannelStats } from 'obverse'
import { briefly } from './amqp-channel.ts'
import { countOf, isMissing, type QueueCount } from './declare.ts'
import type { ManagedQueue, Management } from './management.ts'
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
 * Counts by asking for each queue passively: what waits is exact, and so is what this process has taken. What others have taken, how many
 * wait to become the active consumer, and how fast it goes only the management plugin knows, some seconds late.
 */
export async function channelStats({
  model,
  channels,
  own,
  management,
}: StatsQuestion): Promise<readonly ChannelStats[]> {
  const all = [...channels].flatMap(([channel, partitions]) => queueNames(channel, partitions))
  const [counts, told] = await Promise.all([countAll(model, all), tellOf(all, management)])
  return [...channels].map(([channel, partitions]) => {
    const queues = queueNames(channel, partitions)
    const ready = sum(queues.map((queue) => counts.get(queue)?.messages ?? 0))
    const active = queues.map((queue) => counts.get(queue)?.consumers ?? 0)
    const consumers = queues.map((queue, at) =>
      active[at] ? Math.max(active[at], told.get(queue)?.consumers ?? 0) : 0,
    )
    const { open, waiting, consumers: mine } = own(channel)
    const known = queues.flatMap((queue) => told.get(queue) ?? [])
    const taken = sum(consumers) > mine ? sum(known.map(({ messages_unacknowledged: count = 0 }) => count)) : 0
    const unsettled = Math.max(open, taken - waiting)
    return {
      channel,
      messages: ready + waiting + unsettled,
      unsettled,
      // each consuming process has one consumer on every queue
      consumers: Math.max(...consumers),
      ...(known.length === queues.length && { rates: ratesOf(known) }),
    }
  })
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

/** Nothing of what it does not know now. */
async function tellOf(
  queues: readonly string[],
  management: Management | undefined,
): Promise<ReadonlyMap<string, ManagedQueue>> {
  if (!management) return new Map()
  const told = await Promise.all(
    queues.map(async (queue) => {
      const one = await management.queue(queue).catch(() => undefined)
      return one ? [[queue, one] as const] : []
    }),
  )
  return new Map(told.flat())
}

function ratesOf(queues: readonly ManagedQueue[]): NonNullable<ChannelStats['rates']> {
  const total = (each: (stats: NonNullable<ManagedQueue['message_stats']>) => number | undefined) =>
    sum(queues.map(({ message_stats }) => each(message_stats ?? {}) ?? 0))
  return {
    published: total(({ publish_details }) => publish_details?.rate),
    settled: total(({ ack_details }) => ack_details?.rate),
  }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
