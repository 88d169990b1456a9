import { outage } from 'obverse'
import { describe, expect, it } from 'vitest'
import { consume } from '../../../src/wire/consume.ts'
import { movedClock, named, turns, until, World } from '../world.ts'

/** Messages that were taken once and given back, as after a crash. */
async function givenBack(world: World, channels: readonly string[]) {
  for (const channel of channels) {
    const taken = await world.broker.subscribe(channel, { prefetch: 1_000, onDeliveries: () => {} })
    await turns(3)
    await taken.close()
  }
}

describe('redelivered messages', () => {
  it('run one at a time in the process, fresh ones beside them', async () => {
    const world = await World.open()
    let running = 0
    let most = 0
    const done: string[] = []
    const work = (suspicious: boolean) => async () => {
      if (suspicious) running += 1
      most = Math.max(most, running)
      await turns(2)
      if (suspicious) running -= 1
    }
    for (const channel of ['a', 'b']) {
      world.handler(
        `on-${channel}`,
        async ({ n }) => {
          await work(n < 10)()
          done.push(`${channel}${n}`)
        },
        { channel },
      )
    }
    for (let n = 0; n < 10; n += 1) await world.publish(`k${n}`, n)
    await givenBack(world, ['a', 'b'])
    for (let n = 10; n < 15; n += 1) await world.publish(`k${n}`, n)
    const consumers = ['a', 'b'].map((name) => world.consumer({}, {}, name))
    await Promise.all(consumers.map((consumer) => consumer.start()))
    await until('all are done', () => done.length === 30)
    expect(most).toBe(1)
    expect(done.indexOf('a10')).toBeLessThan(done.indexOf('a9'))
    await world.close()
  })

  it('wait for room under a limit', async () => {
    const world = await World.open()
    const done: number[] = []
    world.handler('main', ({ n }) => done.push(n))
    for (let n = 0; n < 20; n += 1) await world.publish(`k${n}`, n)
    await givenBack(world, ['main'])
    const channels = [named('main')]
    expect(await consume(world.dependencies(), channels, { limit: 3 })).toMatchObject({ handled: 3 })
    expect(done).toHaveLength(3)
    await world.close()
  })

  it('of a channel whose dependency is down do not hold up those of another, and keep their attempts', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    let down = true
    const attempts: number[] = []
    const done: string[] = []
    world.handler(
      'mailer',
      (_note, delivery) => {
        attempts.push(delivery.attempts)
        if (down) throw outage('the mailer is down')
        done.push('mail')
      },
      { channel: 'mail' },
    )
    world.handler('counter', () => done.push('count'), { channel: 'count' })
    for (let n = 0; n < 5; n += 1) await world.publish(`k${n}`, n)
    await givenBack(world, ['mail', 'count'])
    for (const name of ['mail', 'count']) await world.consumer({}, {}, name).start()
    await clock.advance(60_000)
    expect(done).toEqual(Array(5).fill('count'))
    expect(attempts.length).toBeGreaterThan(10)
    down = false
    await clock.advance(10_000)
    expect(done).toHaveLength(10)
    expect(new Set(attempts)).toEqual(new Set([0]))
    await world.close()
  })

  it('are not blamed for an orderly stop', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const attempts: number[] = []
    let long = true
    world.handler('main', async (_note, delivery, signal) => {
      attempts.push(delivery.attempts)
      if (!long) return
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      throw new Error('cut off')
    })
    await world.publish('a', 1)
    const consumer = world.consumer()
    for (let restarts = 0; restarts < 8; restarts += 1) {
      await consumer.start()
      await clock.advance(1)
      const stopped = consumer.stop()
      await clock.advance(6_000)
      await stopped
    }
    long = false
    await consumer.step()
    expect(attempts).toEqual(Array(9).fill(0))
    expect(await world.store.deadLetters.list()).toEqual([])
    await world.close()
  })
})

describe('a subscription that cannot be made', () => {
  it('is made again until it succeeds; stopping meanwhile works', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const done: number[] = []
    world.handler('main', ({ n }) => done.push(n))
    await world.publish('a', 1)
    const { subscribe } = world.broker
    let refusals = 6
    Object.assign(world.broker, {
      subscribe: async (...given: Parameters<typeof subscribe>) => {
        refusals -= 1
        if (refusals >= 0) throw outage('connection refused')
        return subscribe(...given)
      },
    })
    const consumer = world.consumer()
    await consumer.start()
    await clock.advance(100)
    await consumer.stop()
    expect(done).toEqual([])
    await consumer.start()
    await clock.advance(30_000)
    expect(done).toEqual([1])
    await world.close()
  })

  it('rejects the start when trying again cannot help, and the next start tries again', async () => {
    const world = await World.open()
    world.handler('main', () => {})
    const { declare } = world.broker
    let wrong = true
    Object.assign(world.broker, {
      declare: async (channels: Parameters<typeof declare>[0]) => {
        if (wrong) throw new TypeError('the queue has other arguments')
        return declare(channels)
      },
    })
    const consumer = world.consumer()
    await expect(consumer.start()).rejects.toThrow('other arguments')
    wrong = false
    await consumer.start()
    expect(world.seen('started')).toHaveLength(1)
    await world.close()
  })
})
