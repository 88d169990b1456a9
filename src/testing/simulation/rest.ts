import type { OpenStore } from 'obverse'
import type { Cluster } from './cluster.ts'
import type { World } from './world.ts'

/** Milliseconds between two looks, of which some in a row have to see that all is quiet: longer than any loop rests. */
const LOOK = 400
const LOOKS = 4

/** Resolves when nothing is left that would go on by itself. */
export async function settled(world: World, cluster: Cluster): Promise<void> {
  let [quiet, head] = [0, -1]
  while (quiet < LOOKS) {
    await world.pause(LOOK)
    const { bare } = cluster
    const before = head
    head = (await bare?.log.head()) ?? -1
    quiet = bare && head === before && (await isQuiet(bare, cluster)) ? quiet + 1 : 0
  }
}

async function isQuiet(store: OpenStore, cluster: Cluster): Promise<boolean> {
  if ((await store.outbox.waiting()).count > 0) return false
  if (((await cluster.broker?.stats()) ?? []).some(({ messages }) => messages > 0)) return false
  if ((await store.deadLetters.list({ state: 'retry', limit: 1 })).length > 0) return false
  const waiting = await store.deadLetters.list({ state: 'waiting', limit: 1_000 })
  const dead = new Set((await store.deadLetters.list({ limit: 1_000 })).map(({ handler, key }) => `${handler}\n${key}`))
  if (waiting.some(({ handler, key }) => !dead.has(`${handler}\n${key}`))) return false
  const head = await store.log.head()
  const reached = new Map<string, number>()
  for (const { name, position } of await store.checkpoints.all()) {
    const [projection = '', generation = ''] = name.split('@')
    // of an older generation nobody reads on
    if (/^\d+$/.test(generation)) reached.set(projection, Math.max(position, reached.get(projection) ?? 0))
  }
  return [...reached.values()].every((position) => position >= head)
}
