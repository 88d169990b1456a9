import { type Runtime, systemRuntime } from 'obverse'
import { describe, expect, test } from 'vitest'
import { createProjector } from '../../src/read/projector.ts'
import { rebuild } from '../../src/read/rebuild.ts'
import { createWaiter } from '../../src/read/wait.ts'
import { createParking, createWorld, type Said, thingsProjection, type World } from './world.ts'

const say = (key: string, type = 'add', id = key): Said => ({ key, type, data: { id, n: 1, make: true } })

function waiting(world: World, more: Partial<Parameters<typeof createWaiter>[0]> = {}) {
  const { checkpoints, log } = world.store
  return createWaiter({
    generations: world.generations,
    checkpointsFor: () => checkpoints,
    log,
    runtime: world.runtime,
    ...more,
  })
}
function projecting(world: World, projection = thingsProjection()) {
  const { checkpoints, log } = world.store
  const { generations, runtime } = world
  return createProjector({ projection, generations, checkpoints, log, runtime, parking: createParking(), batch: 1 })
}

describe.each([{ gathering: false }, { gathering: true }])(
  'waiting for a token, gathering $gathering',
  ({ gathering }) => {
    const projection = thingsProjection({ gathering })

    test('ends when the view shows the write, by a wake or by itself', async () => {
      const world = await createWorld()
      const waiter = waiting(world)
      const projector = projecting(world, projection)
      await world.append(say('a'), say('a'), say('b'))
      const order: string[] = []
      const wait = (key: string, seq: number) =>
        waiter.wait(projection, [{ type: 'add', key, seq }], 5_000).then((table) => {
          order.push(`${key}${seq}`)
          return table
        })
      const waits = [wait('b', 1), wait('a', 2), wait('a', 1)]
      await projector.step()
      waiter.wake()
      await waits[2]
      expect(order).toEqual(['a1'])
      await projector.step()
      await waits[1]
      await projector.step()
      const table = await waits[0]
      expect(order).toEqual(['a1', 'a2', 'b1'])
      expect(await table?.get('a')).toMatchObject({ n: 2 })
    })

    test('ends for an event that leaves no row, and is not needed for one that the view does not handle', async () => {
      const world = await createWorld()
      const waiter = waiting(world)
      const projector = projecting(world, projection)
      await world.append(say('a', 'silent'), say('a', 'foreign'))
      await waiter.wait(projection, [{ type: 'foreign', key: 'a', seq: 2 }], 0)
      const wait = waiter.wait(
        projection,
        [
          { type: 'silent', key: 'a', seq: 1 },
          { type: 'foreign', key: 'a', seq: 2 },
        ],
        5_000,
      )
      await projector.step()
      await wait
    })

    test('that is in vain says where the view is', async () => {
      const world = await createWorld()
      const projector = projecting(world, projection)
      await world.append(say('a'), say('a'))
      await projector.step()
      const wait = waiting(world).wait(projection, [{ type: 'add', key: 'a', seq: 2 }], 30)
      await expect(wait).rejects.toMatchObject({
        code: 'CONSISTENCY_TIMEOUT',
        message: `View things did not show key "a" at seq 2 within 30 ms; it has come to ${gathering ? 'position' : 'seq'} 1. Ask again with the same token`,
      })
    })

    test('would not happen without wait-for-token', async () => {
      const world = await createWorld(['wait-for-token'])
      await world.append(say('a'))
      const table = await waiting(world).wait(projection, [{ type: 'add', key: 'a', seq: 1 }], 5_000)
      expect(await table.get('a')).toBeUndefined()
    })

    test('answers from the generation that shows the write, across a switch', async () => {
      const world = await createWorld()
      const { checkpoints, log } = world.store
      const { generations, runtime } = world
      const waiter = waiting(world)
      const parking = createParking()
      await world.append(say('a'))
      const wait = waiter.wait(projection, [{ type: 'add', key: 'a', seq: 1 }], 5_000)
      await rebuild({ projection, generations, checkpoints, log, parking, runtime })
      expect(await (await wait).get('a')).toMatchObject({ n: 1 })
    })
  },
)

describe('a parked key', () => {
  test('is said to be parked at once when the time is up, and early when there is much time', async () => {
    const fast: Runtime = { ...systemRuntime, after: (ms, work) => systemRuntime.after(ms / 10, work) }
    const world = await createWorld()
    await world.append(say('a'), say('b'))
    const parked = async (_: unknown, key: string) => key === 'a'
    const waiter = waiting(world, { parked, runtime: fast })
    const projection = thingsProjection()
    const began = performance.now()
    const wait = (key: string, ms: number) => waiter.wait(projection, [{ type: 'add', key, seq: 1 }], ms)
    await expect(wait('a', 10)).rejects.toMatchObject({ code: 'KEY_PARKED', message: expect.stringContaining('"a"') })
    await expect(wait('a', 600_000)).rejects.toMatchObject({ code: 'KEY_PARKED' })
    await expect(wait('b', 300)).rejects.toMatchObject({ code: 'CONSISTENCY_TIMEOUT' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test('delays nobody who waits for another', async () => {
    const world = await createWorld()
    const projection = thingsProjection()
    const waiter = waiting(world, { parked: async (_, key) => key === 'a' })
    const projector = projecting(world, projection)
    await world.append(say('b'))
    const a = waiter.wait(projection, [{ type: 'add', key: 'a', seq: 1 }], 100).catch(({ code }) => code)
    const b = waiter.wait(projection, [{ type: 'add', key: 'b', seq: 1 }], 5_000)
    await projector.step()
    expect(await (await b).get('b')).toMatchObject({ n: 1 })
    expect(await a).toBe('KEY_PARKED')
  })
})

test('waits have a bound, and end with their signal', async () => {
  const world = await createWorld()
  const projection = thingsProjection()
  const waiter = waiting(world, { limit: 1 })
  const stop = new AbortController()
  const part = [{ type: 'add', key: 'a', seq: 1 }]
  const first = waiter.wait(projection, part, 60_000, stop.signal)
  await expect(waiter.wait(projection, part, 60_000)).rejects.toMatchObject({ code: 'OVERLOADED' })
  stop.abort()
  await expect(first).rejects.toMatchObject({ name: 'AbortError' })
  await expect(waiter.wait(projection, part, 1)).rejects.toMatchObject({ code: 'CONSISTENCY_TIMEOUT' })
})
