import { type BatchOutcome, type Delivery, outage, type Protection } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { movedClock, type Note, turns, until, World } from '../world.ts'

const FINE: BatchOutcome = { failed: [], behind: [] }
const note = (delivery: Delivery) => delivery.envelope.data as Note

/** Applies in order; a message that fails stops its key, as a projection does. */
function applying(applied: Note[], fails: (note: Note) => boolean) {
  return async (deliveries: readonly Delivery[]): Promise<BatchOutcome> => {
    const failed: BatchOutcome['failed'][number][] = []
    const behind: Delivery[] = []
    for (const delivery of deliveries) {
      const { key } = note(delivery)
      if (failed.some((one) => note(one.delivery).key === key)) behind.push(delivery)
      else if (fails(note(delivery))) failed.push({ delivery, error: new Error(`no ${key}`) })
      else applied.push(note(delivery))
    }
    return { failed, behind }
  }
}

describe('a projection on a channel', () => {
  it('is handed what is there together, one batch at a time, up to the limit', async () => {
    const world = await World.open()
    const sizes: number[] = []
    const gate = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    world.projection('view', async (deliveries) => {
      running += 1
      most = Math.max(most, running)
      sizes.push(deliveries.length)
      await gate.promise
      running -= 1
      return FINE
    })
    await world.consumer({ batch: 50, prefetch: 200 }).start()
    await world.publish('first', 0)
    await until('the first batch runs', () => running === 1)
    for (let n = 0; n < 120; n += 1) await world.publish(`k${n % 3}`, n)
    await turns()
    expect(sizes).toEqual([1])
    gate.resolve()
    await until('all are settled', async () => (await world.broker.stats())[0]?.messages === 0)
    expect(sizes).toEqual([1, 50, 50, 20])
    expect(most).toBe(1)
    expect(world.seen('handled')).toHaveLength(121)
    await world.close()
  })

  async function failing(without: Protection[] = []) {
    const clock = movedClock()
    const world = await World.open({ runtime: { ...clock.runtime, without: new Set(without) } })
    const applied: Note[] = []
    let broken = true
    world.projection(
      'view',
      applying(applied, ({ key, n }) => broken && key === 'a' && n === 2),
    )
    await world.consumer().start()
    for (const n of [1, 2, 3]) for (const key of ['a', 'b']) await world.publish(key, n)
    await clock.advance(10)
    await world.publish('a', 4)
    await clock.advance(100)
    const early = applied.map(({ key, n }) => `${key}${n}`)
    broken = false
    await clock.advance(10_000)
    const order = applied.filter(({ key }) => key === 'a').map(({ n }) => n)
    const left = [
      ...(await world.store.held.counts()),
      ...(await world.broker.stats()).filter((one) => one.messages > 0),
    ]
    await world.close()
    return { early, order, left, world }
  }

  it('holds only the key that fails, and goes on with it in order', async () => {
    const { early, order, left, world } = await failing()
    expect(early.sort()).toEqual(['a1', 'b1', 'b2', 'b3'])
    expect(order).toEqual([1, 2, 3, 4])
    expect(left).toEqual([])
    expect(world.seen('retrying')).toMatchObject([{ handler: 'view', attempt: 1 }])
  })

  it('would apply the later ones first without held-lane', async () => {
    expect((await failing(['held-lane'])).order).not.toEqual([1, 2, 3, 4])
  })

  it('finds the message that makes a whole batch fail', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const applied: number[] = []
    world.projection(
      'view',
      async (deliveries) => {
        if (deliveries.some((one) => note(one).n === 3)) throw new TypeError('step is broken')
        applied.push(...deliveries.map((one) => note(one).n))
        return FINE
      },
      { retry: { retries: 0 } },
    )
    const consumer = world.consumer()
    for (const n of [1, 2, 3, 4]) await world.publish(`k${n % 2}`, n)
    await world.publish('k1', 5)
    await consumer.start()
    await clock.advance(10)
    expect(applied).toEqual([1, 2, 4])
    expect(await world.store.deadLetters.list()).toMatchObject([
      { key: 'k1', behind: 1, code: 'TypeError', attempts: 1 },
    ])
    await world.close()
  })

  it('is handed the same batch again after an outage, at no attempt', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const batches: number[][] = []
    let down = 4
    world.projection('view', async (deliveries) => {
      batches.push(deliveries.map((one) => note(one).n))
      down -= 1
      if (down >= 0) throw outage('the read store is away')
      return FINE
    })
    for (const n of [1, 2, 3]) await world.publish('a', n)
    await world.consumer().start()
    await clock.advance(10_000)
    expect(batches).toEqual(Array.from({ length: 5 }, () => [1, 2, 3]))
    expect(await world.store.held.counts()).toEqual([])
    expect(await world.broker.stats()).toMatchObject([{ messages: 0 }])
    await world.close()
  })

  it('shares its messages with handlers; each message is settled when both are done', async () => {
    const world = await World.open()
    const gate = Promise.withResolvers<void>()
    const ran: string[] = []
    world.handler('main', () => ran.push('handler'))
    world.projection('view', async () => {
      ran.push('projection')
      await gate.promise
      return FINE
    })
    const consumer = world.consumer()
    await consumer.start()
    await world.publish('a', 1)
    await until('both ran', () => ran.length === 2)
    await turns()
    expect(await world.broker.stats()).toMatchObject([{ messages: 1 }])
    gate.resolve()
    await until('it is settled', async () => (await world.broker.stats())[0]?.messages === 0)
    await world.close()
  })

  it('gives up a message that ends its process, and applies the others', async () => {
    const store = memory()
    const operator = await World.open({ store })
    const applied = new Set<number>()
    for (let n = 0; n < 10; n += 1) await operator.publish(`k${n}`, n, { channels: ['main'] })
    const letters = () => operator.store.deadLetters.list()
    const left = async () => (await operator.broker.stats())[0]?.messages ?? 0
    let processes = 0
    while ((await left()) > 0 && processes < 20) {
      processes += 1
      const world = await World.open({ store })
      world.projection('view', async (deliveries) => {
        if (deliveries.some((one) => note(one).n === 5)) {
          await world.crash()
          await new Promise(() => {})
        }
        for (const one of deliveries) applied.add(note(one).n)
        return FINE
      })
      await world.consumer().start()
      await until('the process ended, or nothing is left', async () => world.crashed || (await left()) === 0)
      if (!world.crashed) await world.close()
    }
    expect(await letters()).toMatchObject([{ code: 'CRASH_LOOP', key: 'k5' }])
    expect([...applied].sort()).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9])
    expect(processes).toBeLessThan(9)
    await operator.close()
  })
})
