import { type Broker, outage, type Protection, type Published, type PublishOutcome } from 'obverse'
import { memory, memoryBroker } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { movedClock, seeded, until, World } from '../world.ts'

/** A broker whose `publish` a test decides. */
function brokerWith(publish: Broker['publish']): { broker: Broker; arrived: () => Promise<number[]> } {
  const real = memoryBroker()
  const broker: Broker = { ...real, publish }
  return {
    broker,
    arrived: async () => (await real.peek('main', 10_000)).map((body) => JSON.parse(body).data.n),
  }
}

async function relayed(options: { broker: Broker; runtime?: object; without?: Protection[] }) {
  const { broker, runtime, without = [] } = options
  const store = memory({ positions: 'relay' })
  const world = await World.open({ store, broker, runtime: { ...runtime, without: new Set(without) } })
  world.handler('main', () => {})
  await broker.declare([{ name: 'main' }])
  return world
}

const waiting = async (world: World) => (await world.store.outbox.waiting()).count

describe('publishing', () => {
  it('stamps, publishes in batches and forgets what was confirmed', async () => {
    const real = memoryBroker()
    const world = await relayed({ broker: real })
    for (let n = 0; n < 120; n += 1) await world.publish(`k${n % 40}`, n)
    const relay = world.relay(25)
    relay.start()
    world.store.onCommit(() => relay.wake())
    await until('the outbox is empty', async () => (await waiting(world)) === 0)
    const bodies = (await real.peek('main', 1_000)).map((body) => JSON.parse(body))
    expect(bodies).toHaveLength(120)
    expect(bodies.map((body) => body.position).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 120 }, (_, n) => n + 1),
    )
    expect(world.seen('published').reduce((sum, { count }) => sum + count, 0)).toBe(120)
    expect(world.seen('stamped').reduce((sum, { count }) => sum + count, 0)).toBe(120)
    await world.publish('late', 1)
    await until('it is published', async () => (await real.peek('main', 1_000)).length === 121)
    await Promise.all([relay.stop(), relay.stop()])
    await world.close()
  })

  /** A broker that confirms late, at random; returns messages now and then, as one whose queue is missing. */
  async function returning(without: Protection[] = []) {
    const random = seeded(5)
    const real = memoryBroker()
    const open = new Set<string>()
    let overlapping = 0
    const { broker } = brokerWith(async (messages) => {
      for (const { key } of messages) {
        if (open.has(`${key}`)) overlapping += 1
        open.add(`${key}`)
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 3))
      const outcomes: PublishOutcome[] = []
      for (const message of messages) {
        if (random() < 0.2) outcomes.push({ messageId: message.messageId, kind: 'returned', reason: 'no queue' })
        else outcomes.push(...(await real.publish([message])))
        open.delete(`${message.key}`)
      }
      return outcomes
    })
    await real.declare([{ name: 'main' }])
    const world = await relayed({ broker, runtime: { random: () => 0 }, without })
    for (let n = 1; n <= 20; n += 1) for (const key of ['a', 'b', 'c', 'd', 'e']) await world.publish(key, n)
    const relay = world.relay(10)
    relay.start()
    await until('the outbox is empty', async () => (await waiting(world)) === 0, 20_000)
    await relay.stop()
    const order = new Map<string, number[]>()
    for (const body of await real.peek('main', 1_000)) {
      const { key, n } = JSON.parse(body).data
      order.set(key, [...(order.get(key) ?? []), n])
    }
    const wrong = [...order.values()].filter((seen) => seen.join() !== [...seen].sort((a, b) => a - b).join())
    const { steps } = world
    await world.close()
    return { order, wrong, overlapping, steps }
  }

  it('keeps what was returned, and the order of its key, with one unconfirmed message a key', async () => {
    const { order, wrong, overlapping, steps } = await returning()
    expect([...order.values()].map((seen) => seen.length)).toEqual([20, 20, 20, 20, 20])
    expect(wrong).toEqual([])
    expect(overlapping).toBe(0)
    expect(steps.some((step) => step.step === 'returned' && step.reason === 'no queue')).toBe(true)
  })

  it('is overtaken without one-unconfirmed', async () => {
    const { wrong, overlapping } = await returning(['one-unconfirmed'])
    expect(overlapping + wrong.length).toBeGreaterThan(0)
  })

  it('hands the next keys over while a batch waits for its confirmation', async () => {
    const gate = Promise.withResolvers<void>()
    const batches: string[][] = []
    const { broker } = brokerWith(async (messages: readonly Published[]) => {
      batches.push(messages.map(({ key }) => `${key}`))
      await gate.promise
      return messages.map(({ messageId }) => ({ messageId, kind: 'confirmed' as const }))
    })
    const world = await relayed({ broker })
    for (const key of ['a', 'b', 'c', 'a']) await world.publish(key, 1)
    const relay = world.relay(2)
    relay.start()
    await until('two batches are out', () => batches.length === 2)
    expect(batches).toEqual([['a', 'b'], ['c']])
    gate.resolve()
    await until('the outbox is empty', async () => (await waiting(world)) === 0)
    expect(batches.at(-1)).toEqual(['a'])
    await relay.stop()
    await world.close()
  })

  /** The relay's process ends after it has handed a batch over and before the broker has confirmed it. */
  async function cutOff(without: Protection[] = []) {
    const store = memory({ positions: 'relay' })
    const real = memoryBroker()
    await real.declare([{ name: 'main' }])
    let dead = false
    const { broker } = brokerWith(async (messages) => {
      if (dead) return real.publish(messages)
      await first.crash()
      dead = true
      return new Promise(() => {})
    })
    const first = await World.open({ store, broker, runtime: { without: new Set(without) } })
    first.handler('main', () => {})
    for (const key of ['a', 'b', 'c']) await first.publish(key, 1)
    first.relay().start()
    await until('the first relay is gone', () => dead)
    const second = await World.open({ store, broker })
    const relay = second.relay()
    await relay.step()
    const arrived = (await real.peek('main', 10)).length
    await second.close()
    return arrived
  }

  it('loses nothing when it is cut off before the confirmation', async () => {
    expect(await cutOff()).toBe(3)
  })

  it('loses it without confirm-first', async () => {
    expect(await cutOff(['confirm-first'])).toBe(0)
  })

  it('goes on by itself after an outage, backing off', async () => {
    const clock = movedClock()
    const real = memoryBroker()
    const up = clock.now() + 60_000
    let tries = 0
    const { broker } = brokerWith(async (messages) => {
      tries += 1
      if (clock.now() < up) throw outage('connection refused')
      return real.publish(messages)
    })
    await real.declare([{ name: 'main' }])
    const world = await relayed({ broker, runtime: clock.runtime })
    for (let n = 1; n <= 3; n += 1) await world.publish('a', n)
    const relay = world.relay()
    relay.start()
    await clock.advance(60_000)
    expect(tries).toBeLessThan(40)
    expect(await waiting(world)).toBe(3)
    await clock.advance(15_000)
    expect(await waiting(world)).toBe(0)
    expect((await real.peek('main', 10)).map((body) => JSON.parse(body).data.n)).toEqual([1, 2, 3])
    expect(world.seen('recovered').some(({ part }) => part === 'broker memory-broker')).toBe(true)
    await relay.stop()
    await world.close()
  })

  it('tells the store later what it could not tell it at once', async () => {
    const real = memoryBroker()
    const world = await relayed({ broker: real })
    const { done } = world.store.outbox
    let away = 3
    Object.assign(world.store.outbox, {
      done: async (...given: Parameters<typeof done>) => {
        away -= 1
        if (away >= 0) throw outage('the store is away')
        return done(...given)
      },
    })
    await world.publish('a', 1)
    const relay = world.relay()
    relay.start()
    await until('the outbox is empty', async () => (await waiting(world)) === 0)
    expect(await real.peek('main', 10)).toHaveLength(1)
    await relay.stop()
    await world.close()
  })
})

describe('housekeeping', () => {
  it('forgets old inbox marks, and takes back dead letters of types that are known by now', async () => {
    const clock = movedClock()
    const store = memory()
    const world = await World.open({ store, runtime: clock.runtime })
    const done: number[] = []
    world.handler('main', ({ n }) => done.push(n))
    const id = await world.publish('a', 1)
    const consumer = world.consumer()
    await consumer.step()
    expect(await world.store.inbox.seen(id, 'main')).toBe(true)

    await world.store.held.refuse({
      channel: 'main',
      body: JSON.stringify({
        id: 'x',
        type: 't.noted',
        kind: 'event',
        time: '2030-01-01T00:00:00.000Z',
        data: { key: 'a', n: 2 },
      }),
      code: 'MESSAGE_TYPE_UNKNOWN',
      reason: 'an older version of the application ran',
      messageId: 'x',
      type: 't.noted',
    })
    await clock.advance(1_000_001)
    const relay = world.relay()
    expect(await relay.step()).toBe(1)
    expect(await world.store.inbox.seen(id, 'main')).toBe(false)
    await consumer.step()
    expect(done).toEqual([1, 2])
    expect(await world.store.deadLetters.list()).toEqual([])
    await world.close()
  })
})
