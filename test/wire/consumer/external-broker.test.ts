import type { Protection } from 'obverse'
import { memory, memoryBroker } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { seeded, until, World } from '../world.ts'

/** Store and broker apart; acknowledgements get lost, now and then, after the commit, and consumers come and go. */
async function run(without: Protection[] = []) {
  const random = seeded(3)
  const store = memory({ positions: 'relay' })
  const server = memoryBroker()
  await server.declare([{ name: 'main' }])
  const ran = new Map<number, number>()
  let lost = 0
  const runtime = {
    random,
    without: new Set(without),
    reach: (point: string) => {
      if (point !== 'ack.before' || random() > 0.2) return
      lost += 1
      throw new Error('the connection is gone')
    },
  }
  const world = await World.open({ store, broker: server, runtime })
  const handler = world.handler('main', ({ n }, { envelope }) => {
    expect(envelope.position).toBeGreaterThan(0)
    ran.set(n, (ran.get(n) ?? 0) + 1)
  })
  for (let n = 0; n < 100; n += 1) await world.publish(`k${n % 10}`, n)
  await world.relay().step()
  expect((await server.stats())[0]?.messages).toBe(100)
  for (let lives = 0; lives < 60 && (await server.stats())[0]?.messages !== 0; lives += 1) {
    const life = new World(world.store, server.connect(), { ...world.runtime })
    life.subscribers.push(handler)
    const consumer = life.consumer({ concurrency: 4 })
    await consumer.start()
    await until('something happened', async () => {
      return life.seen('handled').length > 0 || (await server.stats())[0]?.messages === 0
    })
    await consumer.stop()
  }
  const [stats] = await server.stats()
  const letters = await world.store.deadLetters.list()
  await world.close()
  return { ran, lost, left: stats?.messages, letters }
}

describe('with a broker apart from the store', () => {
  it('a message whose acknowledgement was lost comes again, and its handler does not run again', async () => {
    const { ran, lost, left, letters } = await run()
    expect(left).toBe(0)
    expect(lost).toBeGreaterThan(5)
    expect(ran.size).toBe(100)
    expect([...ran.values()].every((count) => count === 1)).toBe(true)
    expect(letters).toEqual([])
  })

  it('it would, without the inbox', async () => {
    const { ran } = await run(['inbox'])
    expect([...ran.values()].some((count) => count > 1)).toBe(true)
  })
})
