import { memory } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { consume } from '../../../src/wire/consume.ts'
import { movedClock, named, turns, until, World } from '../world.ts'

async function filled(total: number, work: (n: number) => unknown = () => {}) {
  const world = await World.open()
  const started: number[] = []
  world.handler('main', ({ n }) => {
    started.push(n)
    return work(n)
  })
  for (let n = 0; n < total; n += 1) await world.publish(`k${n % 5}`, n)
  const left = async () => (await world.broker.stats())[0]?.messages
  return { world, started, left }
}

describe('consume', () => {
  it.each([1, 2, 7, 99])('with a limit of %i handles exactly as many, and never starts another', async (limit) => {
    const { world, started, left } = await filled(100)
    const told = await consume(world.dependencies(), [named('main', { concurrency: 4 })], { limit })
    await turns()
    expect(told).toEqual({ handled: limit, failed: 0, reason: 'limit' })
    expect(started).toHaveLength(limit)
    expect(await left()).toBe(100 - limit)
    await world.close()
  })

  it('counts a message once, however many handlers it has', async () => {
    const world = await World.open()
    const ran: string[] = []
    for (const name of ['one', 'two', 'three']) world.handler(name, ({ n }) => ran.push(`${name} ${n}`))
    world.projection('view', async () => ({ failed: [], behind: [] }))
    for (let n = 0; n < 10; n += 1) await world.publish('a', n)
    expect(await consume(world.dependencies(), [named('main')], { limit: 2 })).toMatchObject({ handled: 2 })
    expect(ran).toHaveLength(6)
    await world.close()
  })

  it.each([1, 7, 33])(
    'with a limit of %i ends where a handler fails and a projection takes the same messages',
    async (limit) => {
      const world = await World.open()
      world.handler(
        'main',
        ({ n }, { attempts }) => {
          if (n % 5 === 0 && attempts === 0) throw new Error('once')
        },
        { retry: { retries: 3, delay: 1 } },
      )
      world.projection('view', async () => ({ failed: [], behind: [] }))
      for (let n = 0; n < 200; n += 1) await world.publish(`k${n % 20}`, n)
      // held rows of the rounds before are in line before what is fresh
      for (const now of [limit, limit, 33]) {
        const told = await consume(world.dependencies(), [named('main')], { limit: now, timeLimit: 5_000 })
        expect(told).toMatchObject({ handled: now, reason: 'limit' })
      }
      await world.close()
    },
  )

  it('counts bad messages and failed ones towards the limit', async () => {
    const { world, left } = await filled(4, (n) => {
      if (n === 0) throw new Error('no')
    })
    await world.broker.put('main', 'not json')
    const told = await consume(world.dependencies(), [named('main')], { limit: 5 })
    expect(told).toEqual({ handled: 5, failed: 2, reason: 'limit' })
    expect(await left()).toBe(0)
    await world.close()
  })

  it('keeps an exact limit over several channels, those named first first', async () => {
    const world = await World.open()
    const ran: string[] = []
    for (const channel of ['low', 'high']) world.handler(`on-${channel}`, () => ran.push(channel), { channel })
    for (let n = 0; n < 6; n += 1) await world.publish(`k${n}`, n)
    const channels = [named('high'), named('low')]
    const told = await consume(world.dependencies(), channels, { limit: 8, concurrency: 1 })
    expect(told.handled).toBe(8)
    expect(ran).toEqual([...Array(6).fill('high'), 'low', 'low'])
    await world.close()
  })

  it('ends after as many failures as allowed', async () => {
    const { world } = await filled(50, () => {
      throw new Error('no')
    })
    const channels = [named('main', { concurrency: 1, ordered: false })]
    const told = await consume(world.dependencies(), channels, { failureLimit: 3 })
    expect(told).toMatchObject({ failed: 3, reason: 'failure-limit' })
    await world.close()
  })

  it('ends when nothing is queued, running or due, and does not wait for later retries', async () => {
    let failures = 0
    const { world, started, left } = await filled(30, (n) => {
      if (n === 7 && failures++ === 0) throw new Error('once')
    })
    const told = await consume(world.dependencies(), [named('main')], { stopWhenEmpty: true })
    expect(told).toEqual({ handled: 30, failed: 1, reason: 'empty' })
    // 7 is held, and those of its key behind it
    expect(started.length).toBeLessThan(30)
    expect(await left()).toBe(0)
    expect((await world.store.held.counts()).length).toBeGreaterThan(0)
    await world.close()
  })

  it('ends at once on an empty channel', async () => {
    const { world } = await filled(0)
    expect(await consume(world.dependencies(), [named('main')], { stopWhenEmpty: true })).toEqual({
      handled: 0,
      failed: 0,
      reason: 'empty',
    })
    await world.close()
  })

  it('ends after its time, on a signal, and when it has grown too large', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    world.handler('main', () => {})
    const timed = consume(world.dependencies(), [named('main')], { timeLimit: 60_000 })
    await clock.advance(59_999)
    const still = await Promise.race([timed, turns().then(() => 'runs')])
    expect(still).toBe('runs')
    await clock.advance(1)
    expect(await timed).toMatchObject({ reason: 'time-limit' })

    const stop = new AbortController()
    const signalled = consume(world.dependencies(), [named('main')], { signal: stop.signal })
    await turns()
    stop.abort()
    expect(await signalled).toMatchObject({ reason: 'signal' })
    expect(await consume(world.dependencies(), [named('main')], { signal: stop.signal })).toMatchObject({
      handled: 0,
      reason: 'signal',
    })
    expect(await consume(world.dependencies(), [named('main')], { memoryLimit: 1 })).toMatchObject({
      reason: 'memory-limit',
    })
    await world.close()
  })

  it.each([{ limit: 0 }, { limit: 1.5 }, { timeLimit: -1 }, { concurrency: 0 }, { memoryLimit: Number.NaN }])(
    'refuses %o',
    async (options) => {
      const { world } = await filled(0)
      await expect(consume(world.dependencies(), [named('main')], options)).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
      })
      await world.close()
    },
  )

  it('lets two processes share the work, each message once', async () => {
    const store = memory()
    const worlds = [await World.open({ store }), await World.open({ store })]
    const ran: number[] = []
    for (const world of worlds) {
      world.handler('main', async ({ n }) => {
        await new Promise((resolve) => setImmediate(resolve))
        ran.push(n)
      })
    }
    for (let n = 0; n < 200; n += 1) await worlds[0]?.publish(`k${n}`, n)
    const channels = [named('main', { prefetch: 16 })]
    const told = await Promise.all(
      worlds.map((world) => consume(world.dependencies(), channels, { stopWhenEmpty: true })),
    )
    expect(told[0]?.handled).toBeGreaterThan(0)
    expect(told[1]?.handled).toBeGreaterThan(0)
    expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n))
    for (const world of worlds) await world.close()
  })
})

describe('a round for tests', () => {
  it('handles what is available and says how much', async () => {
    const { world, started } = await filled(10)
    const consumer = world.consumer()
    expect(await consumer.step()).toBe(10)
    expect(await consumer.step()).toBe(0)
    expect(started).toHaveLength(10)
    await consumer.start()
    await world.publish('a', 1)
    await until('it is handled', () => started.length === 11)
    expect(await consumer.step()).toBe(0)
    await world.close()
  })

  it('brings held rows back that have become due, and no others', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    let failing = true
    world.handler('main', () => {
      if (failing) throw new Error('no')
    })
    const consumer = world.consumer()
    await world.publish('a', 1)
    expect(await consumer.step()).toBe(1)
    failing = false
    expect(await consumer.step()).toBe(0)
    await clock.advance(1_000)
    expect(await consumer.step()).toBe(1)
    expect(await world.store.held.counts()).toEqual([])
    await world.close()
  })
})
