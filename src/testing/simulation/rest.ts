import type { OpenStore } from 'obverse'
import type { Cluster } from './cluster.ts'
import type { World } from './world.ts'

/** Milliseconds between two looks. */
const LOOK = 100

/** Resolves when nothing is left that would go on by itself. */
export async function settled(world: World, cluster: Cluster): Promise<void> {
  for (;;) {
    await world.pause(LOOK)
    if (cluster.bare && (await isQuiet(cluster.bare, cluster))) return
  }
}

async function isQuiet(store: OpenStore, cluster: Cluster): Promise<boolean> {
  if ((await store.log.head()) < cluster.history.events) return false
  if ((await left(store, cluster)).length > 0) return false
  const [member] = cluster.members('consumer')
  if (!member) return false
  // wherever they keep how far they have come; one that backs off after an outage has not begun again
  const projections = await member.app.operate.projections.list()
  return projections.every(({ behind = 0 }) => behind === 0)
}

/** Messages that would go on by themselves, in words: all but what waits behind a dead letter. */
export async function left({ outbox, deadLetters }: OpenStore, { broker }: Cluster): Promise<readonly string[]> {
  const found: string[] = []
  const { count } = await outbox.waiting()
  if (count > 0) found.push(`${count} messages are left in the outbox`)
  for (const { channel, messages } of (await broker?.stats()) ?? []) {
    if (messages > 0) found.push(`${messages} messages are left in the queue ${channel}`)
  }
  for (const { handler, messageId } of await deadLetters.list({ state: 'retry', limit: 1_000 })) {
    found.push(`${messageId} is held for ${handler}, to be tried again`)
  }
  const dead = new Set((await deadLetters.list({ limit: 1_000 })).map(({ handler, key }) => `${handler}\n${key}`))
  for (const { handler, key, messageId } of await deadLetters.list({ state: 'waiting', limit: 1_000 })) {
    if (!dead.has(`${handler}\n${key}`)) found.push(`${messageId} waits for ${handler}, and nothing is in its way`)
  }
  return found
}
