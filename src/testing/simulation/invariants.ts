import type { OpenStore } from 'obverse'
import type { Cluster } from './cluster.ts'
import type { Effect, History } from './history.ts'

/** What has to hold of every application when all has come to rest. */
export async function violations(cluster: Cluster): Promise<readonly string[]> {
  const { bare, history } = cluster
  if (!bare) return ['no process has ever opened the store']
  return [...history.setbacks, ...twice(history), ...outOfOrder(history), ...(await left(bare, cluster))]
}

function twice({ effects }: History): readonly string[] {
  const seen = new Set<string>()
  const found: string[] = []
  for (const { messageId, handler, type } of effects) {
    const name = `${messageId}\n${handler}`
    if (seen.has(name)) found.push(`${handler} took effect twice for ${type} ${messageId}`)
    seen.add(name)
  }
  return found
}

/** Events of one key by their seq; what a person has done with a dead letter is not out of order. */
function outOfOrder({ effects }: History): readonly string[] {
  const last = new Map<string, Effect>()
  const found: string[] = []
  for (const effect of effects) {
    if (effect.seq === undefined) continue
    const lane = `${effect.handler}\n${effect.key}`
    const before = last.get(lane)
    if (before?.seq !== undefined && before.seq > effect.seq) {
      found.push(`${effect.handler} handled ${effect.key} ${effect.seq} after ${before.seq}`)
    }
    last.set(lane, effect)
  }
  return found
}

async function left({ outbox, deadLetters }: OpenStore, { broker }: Cluster): Promise<readonly string[]> {
  const found: string[] = []
  const { count } = await outbox.waiting()
  if (count > 0) found.push(`${count} messages are left in the outbox`)
  for (const { channel, messages } of (await broker?.stats()) ?? []) {
    if (messages > 0) found.push(`${messages} messages are left in the queue ${channel}`)
  }
  const dead = new Set((await deadLetters.list({ limit: 1_000 })).map(({ handler, key }) => `${handler}\n${key}`))
  for (const state of ['retry', 'waiting'] as const) {
    for (const { handler, key, messageId } of await deadLetters.list({ state, limit: 1_000 })) {
      if (!dead.has(`${handler}\n${key}`))
        found.push(`${messageId} is held for ${handler}, ${state}, and nothing is in its way`)
    }
  }
  return found
}
