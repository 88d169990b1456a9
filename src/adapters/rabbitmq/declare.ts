import type { Channel, ChannelModel } from 'amqplib'
import { briefly } from './amqp-channel.ts'
import { type ArgumentValue, type Difference, differenceIn } from './difference.ts'
import { saidBy } from './failure.ts'
import type { QueuePlan } from './queue.ts'

/** What came of declaring something that may exist already. */
export interface Declared {
  /** All of them, not only the first that the server names. Empty: it is as it is wanted. */
  readonly differences: readonly Difference[]
  /** The user may not declare it: it is there, but nothing else is known of it. */
  readonly unchecked: boolean
}

const AS_WANTED: Declared = { differences: [], unchecked: false }
const UNCHECKED: Declared = { differences: [], unchecked: true }

/** Declares a queue, if it is not there, and binds it. What exists is compared and left as it is. */
export async function declareQueue(model: ChannelModel, plan: QueuePlan, exchange: string): Promise<Declared> {
  const { name, keys } = plan
  const differences: Difference[] = []
  let current: Record<string, ArgumentValue> = { ...plan.arguments }
  for (;;) {
    try {
      await briefly(model, async (channel) => {
        await channel.assertQueue(name, { durable: true, arguments: current })
        for (const key of keys) await channel.bindQueue(name, exchange, key)
      })
      return { differences, unchecked: false }
    } catch (error) {
      if (isForbidden(error) && (await there(model, (channel) => channel.checkQueue(name)))) return UNCHECKED
      const difference = differenceIn(error)
      if (!difference || differences.some(({ argument }) => argument === difference.argument)) throw error
      differences.push(difference)
      if (!difference.argument.startsWith('x-')) return { differences, unchecked: false }
      current = adopt(current, difference)
    }
  }
}

/** Another look, with what is there in place of what was wanted, shows the next difference. */
function adopt(current: Record<string, ArgumentValue>, { argument, found }: Difference): Record<string, ArgumentValue> {
  const { [argument]: _, ...rest } = current
  return found === undefined ? rest : { ...rest, [argument]: found }
}

export async function declareExchange(model: ChannelModel, name: string): Promise<Declared> {
  try {
    await briefly(model, (channel) => channel.assertExchange(name, 'direct', { durable: true }))
    return AS_WANTED
  } catch (error) {
    if (isForbidden(error) && (await there(model, (channel) => channel.checkExchange(name)))) return UNCHECKED
    const difference = differenceIn(error)
    if (!difference) throw error
    return { differences: [difference], unchecked: false }
  }
}

export interface QueueCount {
  /** Ready to be delivered. */
  readonly messages: number
  /** Those that wait to become the active one too. */
  readonly consumers: number
}

/** Undefined: there is no such queue. */
export async function countOf(model: ChannelModel, queue: string): Promise<QueueCount | undefined> {
  try {
    const { messageCount, consumerCount } = await briefly(model, (channel) => channel.checkQueue(queue))
    return { messages: messageCount, consumers: consumerCount }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  const { code, reason } = saidBy(error)
  return code === 404 && /^NOT_FOUND - no (queue|exchange)/.test(reason)
}

export function isForbidden(error: unknown): boolean {
  return saidBy(error).code === 403
}

async function there(model: ChannelModel, check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  return briefly(model, check).then(
    () => true,
    () => false,
  )
}
