import type { Cluster } from './cluster.ts'
import type { Effect, History } from './history.ts'
import { left } from './rest.ts'

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
