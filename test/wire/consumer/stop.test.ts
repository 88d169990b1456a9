import { memory } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { movedClock, seeded, turns, until, World } from '../world.ts'

describe('stopping', () => {
  it.each([11, 12, 13])('at random moments loses nothing and repeats nothing (seed %i)', async (seed) => {
    const random = seeded(seed)
    const store = memory()
    const world = await World.open({ store, runtime: { random } })
    const done = new Map<number, number>()
    world.handler('main', async ({ n }) => {
      for (let turn = random() * 4; turn > 1; turn -= 1) await new Promise((resolve) => setImmediate(resolve))
      done.set(n, (done.get(n) ?? 0) + 1)
    })
    const consumer = world.consumer({ concurrency: 4, prefetch: 10 })
    const total = 300
    for (let n = 0; n < total; n += 1) await world.publish(`k${n % 7}`, n)
    let stops = 0
    while (done.size < total && stops < 400) {
      const started = consumer.start()
      if (random() < 0.3) await started
      await turns(Math.floor(random() * 12))
      const stopping = consumer.stop()
      if (random() < 0.3) void consumer.stop()
      if (random() < 0.5) await stopping
      stops += 1
    }
    await consumer.stop()
    await consumer.step()
    expect(done.size).toBe(total)
    expect([...done.values()].filter((count) => count !== 1)).toEqual([])
    expect(await world.broker.stats()).toMatchObject([{ messages: 0, unsettled: 0, consumers: 0 }])
    expect(stops).toBeGreaterThan(10)
    await world.close()
  })

  it('twice is once, before a start too, and starting again works', async () => {
    const world = await World.open()
    const done: number[] = []
    world.handler('main', ({ n }) => done.push(n))
    const consumer = world.consumer()
    await consumer.stop()
    await Promise.all([consumer.start(), consumer.start()])
    await Promise.all([consumer.stop(), consumer.stop()])
    await consumer.stop()
    expect(world.seen('started')).toHaveLength(1)
    expect(world.seen('stopped')).toMatchObject([{ part: 'consumer main', reason: 'stopped' }])
    const again = consumer.start()
    await world.publish('a', 1)
    await again
    await until('it is handled', () => done.length === 1)
    await world.close()
  })

  it('finishes what runs, starts nothing new, and gives the rest back in order', async () => {
    const world = await World.open()
    const gate = Promise.withResolvers<void>()
    const started: number[] = []
    world.handler('main', async ({ n }) => {
      started.push(n)
      await gate.promise
    })
    const consumer = world.consumer({ concurrency: 2 })
    for (const n of [1, 2, 3, 4]) await world.publish(`k${n}`, n)
    await consumer.start()
    await until('two run', () => started.length === 2)
    const stopped = consumer.stop()
    gate.resolve()
    await stopped
    expect(started).toEqual([1, 2])
    const left = (await world.broker.peek('main', 10)).map((body) => JSON.parse(body).data.n)
    expect(left).toEqual([3, 4])
    await world.close()
  })

  it('aborts handlers that take longer than the drain time; their messages come back, and it is no failure', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    let running = false
    let aborted = false
    world.handler('main', async (_note, _delivery, signal) => {
      running = true
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      aborted = true
      throw new Error('cut off')
    })
    const consumer = world.consumer()
    await world.publish('a', 1)
    await consumer.start()
    await clock.advance(1)
    expect(running).toBe(true)
    const stopped = consumer.stop()
    await clock.advance(4_999)
    expect(aborted).toBe(false)
    await clock.advance(1)
    await stopped
    expect(aborted).toBe(true)
    expect(await world.broker.stats()).toMatchObject([{ messages: 1, unsettled: 0 }])
    expect(await world.store.held.counts()).toEqual([])
    await world.close()
  })

  it('does not hang on a handler that never ends', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    world.handler('main', () => new Promise(() => {}))
    const consumer = world.consumer()
    await world.publish('a', 1)
    await consumer.start()
    await clock.advance(1)
    const stopped = consumer.stop()
    await clock.advance(10_000)
    await stopped
    expect(await world.broker.stats()).toMatchObject([{ messages: 1, unsettled: 0 }])
    await world.close()
  })

  it('gives held rows back that it had claimed', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const gate = Promise.withResolvers<void>()
    let failing = true
    const ran: string[] = []
    world.handler('main', async ({ key }) => {
      if (failing) throw new Error('no')
      ran.push(key)
      await gate.promise
    })
    const consumer = world.consumer({ concurrency: 1 })
    await consumer.start()
    for (const key of ['a', 'b']) await world.publish(key, 1)
    await clock.advance(500)
    failing = false
    await clock.advance(1_000)
    expect(ran).toHaveLength(1)
    const stopped = consumer.stop()
    gate.resolve()
    await stopped
    expect(await world.store.held.claim('other', ['main'], 10)).toMatchObject([{ redelivered: false }])
    await world.close()
  })
})
