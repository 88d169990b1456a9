import type { Protection } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { seeded, until, World } from '../world.ts'

const KEYS = 20
const EACH = 25

/** Two processes over one store, random work times and failures, one of them restarted now and then. */
async function run(seed: number, without: Protection[] = []) {
  const random = seeded(seed)
  const store = memory()
  const runtime = { random, without: new Set(without) }
  const worlds = await Promise.all([World.open({ store, runtime }), World.open({ store, runtime })])
  const effects = new Map<string, number[]>()
  let count = 0
  for (const world of worlds) {
    world.handler(
      'main',
      async ({ key, n }) => {
        if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 4))
        if (random() < 0.15) throw new Error('now and then')
        const seen = effects.get(key) ?? []
        effects.set(key, seen)
        // what is recorded before the commit may repeat; its order must not change
        if (seen.at(-1) !== n) seen.push(n)
        count += 1
      },
      { retry: { retries: 50, delay: 1, factor: 1 } },
    )
  }
  const consumers = worlds.map((world) => world.consumer({ concurrency: 8, prefetch: 30 }))
  await Promise.all(consumers.map((consumer) => consumer.start()))
  for (let n = 1; n <= EACH; n += 1) {
    for (let key = 0; key < KEYS; key += 1) await worlds[0]?.publish(`k${key}`, n)
    if (n % 8 === 0) {
      await consumers[1]?.stop()
      await consumers[1]?.start()
    }
  }
  await until('everything is handled', async () => {
    const [stats] = (await worlds[0]?.broker.stats()) ?? []
    const held = (await worlds[0]?.store.held.counts()) ?? []
    return stats?.messages === 0 && held.length === 0
  })
  for (const world of worlds) await world.close()
  const expected = Array.from({ length: EACH }, (_, at) => at + 1)
  const wrong = [...effects].filter(([, seen]) => seen.join() !== expected.join())
  return { wrong, keys: effects.size, count }
}

describe('messages of one key', () => {
  it.each([1, 2, 3])('are handled in order, through retries and restarts (seed %i)', async (seed) => {
    const { wrong, keys, count } = await run(seed)
    expect(wrong).toEqual([])
    expect(keys).toBe(KEYS)
    expect(count).toBeGreaterThanOrEqual(KEYS * EACH)
  })

  it.each(['lane-order', 'held-lane'] as const)('are not, without %s', async (protection) => {
    expect((await run(1, [protection])).wrong.length).toBeGreaterThan(0)
  })
})

describe('messages of different keys', () => {
  it('do not wait for each other', async () => {
    const world = await World.open()
    const gate = Promise.withResolvers<void>()
    const done: string[] = []
    world.handler('main', async ({ key, n }) => {
      if (key === 'slow') await gate.promise
      done.push(`${key}${n}`)
    })
    await world.consumer({ concurrency: 2 }).start()
    for (const n of [1, 2, 3]) {
      await world.publish('slow', n)
      await world.publish('fast', n)
    }
    await until('the fast ones are done', () => done.length === 3)
    expect(done).toEqual(['fast1', 'fast2', 'fast3'])
    gate.resolve()
    await until('all are done', () => done.length === 6)
    expect(done.slice(3)).toEqual(['slow1', 'slow2', 'slow3'])
    await world.close()
  })

  it('run at most `concurrency` at once, and no more than `prefetch` are taken', async () => {
    const world = await World.open()
    const gate = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    world.handler('main', async () => {
      running += 1
      most = Math.max(most, running)
      await gate.promise
      running -= 1
    })
    const consumer = world.consumer({ concurrency: 3, prefetch: 5 })
    for (let n = 0; n < 20; n += 1) await world.publish(`k${n}`, n)
    await consumer.start()
    await until('three run', () => running === 3)
    expect(await world.broker.stats()).toMatchObject([{ messages: 20, unsettled: 5 }])
    gate.resolve()
    await until('all are done', async () => (await world.broker.stats())[0]?.messages === 0)
    expect(most).toBe(3)
    await world.close()
  })
})
