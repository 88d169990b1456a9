import { outage, type Protection } from 'obverse'
import { describe, expect, it } from 'vitest'
import { movedClock, World } from '../world.ts'

async function downFor(ms: number, without: Protection[] = []) {
  const clock = movedClock()
  const world = await World.open({ runtime: { ...clock.runtime, without: new Set(without) } })
  const up = clock.now() + ms
  const done: string[] = []
  const attempts: number[] = []
  let running = 0
  let most = 0
  world.handler('main', async ({ key, n }, delivery) => {
    attempts.push(delivery.attempts)
    running += 1
    most = Math.max(most, running)
    await Promise.resolve()
    running -= 1
    if (clock.now() < up) throw outage('the mailer is down')
    done.push(`${key}${n}`)
  })
  await world.consumer({ concurrency: 4 }).start()
  for (const n of [1, 2, 3]) for (const key of ['a', 'b', 'c']) await world.publish(key, n)
  await clock.advance(ms + 10_000)
  const letters = await world.store.deadLetters.list()
  await world.close()
  return { world, done, attempts, letters }
}

describe('an outage', () => {
  it('costs no attempt, keeps the order, and is over when it is over', async () => {
    const { world, done, attempts, letters } = await downFor(600_000)
    expect(letters).toEqual([])
    expect(new Set(attempts)).toEqual(new Set([0]))
    expect(done).toHaveLength(9)
    for (const key of ['a', 'b', 'c']) {
      expect(done.filter((one) => one.startsWith(key))).toEqual([`${key}1`, `${key}2`, `${key}3`])
    }
    // backing off to 5 s, by one message: not 600,000 ms of trying
    const outages = world.seen('outage')
    expect(outages.length).toBeGreaterThan(100)
    expect(outages.length).toBeLessThan(140)
    expect(outages.at(-1)?.failures).toBe(outages.length)
    expect(world.seen('recovered')).toMatchObject([{ part: 'consumer main' }])
    expect(await world.seen('retrying')).toEqual([])
  })

  it('would end in dead letters without the protection', async () => {
    const { letters } = await downFor(600_000, ['outage-is-free'])
    expect(letters.length).toBeGreaterThan(0)
  })

  it('of the store keeps a failed message until it can be held', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    world.handler('main', () => {
      throw new Error('no')
    })
    const hold = world.store.held.hold
    let refusals = 5
    Object.assign(world.store.held, {
      hold: async (...given: Parameters<typeof hold>) => {
        refusals -= 1
        if (refusals >= 0) throw outage('the store is away')
        return hold(...given)
      },
    })
    await world.consumer().start()
    await world.publish('a', 1)
    await clock.advance(30_000)
    expect(await world.store.deadLetters.list()).toMatchObject([{ attempts: 4 }])
    await world.close()
  })
})
