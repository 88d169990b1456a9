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
  if ((await store.outbox.waiting()).count > 0) return false
  if (((await cluster.broker?.stats()) ?? []).some(({ messages }) => messages > 0)) return false
  if ((await store.deadLetters.list({ state: 'retry', limit: 1 })).length > 0) return false
  const waiting = await store.deadLetters.list({ state: 'waiting', limit: 1_000 })
  const dead = new Set((await store.deadLetters.list({ limit: 1_000 })).map(({ handler, key }) => `${handler}\n${key}`))
  if (waiting.some(({ handler, key }) => !dead.has(`${handler}\n${key}`))) return false
  const [member] = cluster.members('consumer')
  if (!member) return false
  // wherever they keep how far they have come; one that backs off after an outage has not begun again
  const projections = await member.app.operate.projections.list()
  return projections.every(({ behind = 0 }) => behind === 0)
}
