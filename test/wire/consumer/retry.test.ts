import { type Protection, permanent } from 'obverse'
import { describe, expect, it } from 'vitest'
import { movedClock, turns, World } from '../world.ts'

/** `main` fails while its message is among `failing`. */
async function setUp(failing: Set<number>, without: Protection[] = []) {
  const clock = movedClock()
  const world = await World.open({ runtime: { ...clock.runtime, without: new Set(without) } })
  const began = clock.now()
  const tries: { n: number; at: number; attempts: number }[] = []
  world.handler('main', ({ n }, { attempts }) => {
    tries.push({ n, at: clock.now() - began, attempts })
    if (failing.has(n)) throw new Error(`no ${n}`)
  })
  const consumer = world.consumer()
  await consumer.start()
  return { clock, world, tries, consumer }
}

describe('a handler that fails', () => {
  it('is tried again after growing waits, counted, and then given up', async () => {
    const { clock, world, tries } = await setUp(new Set([1]))
    const id = await world.publish('a', 1)
    await clock.advance(60_000)
    expect(tries).toEqual([
      { n: 1, at: 0, attempts: 0 },
      { n: 1, at: 1_000, attempts: 1 },
      { n: 1, at: 3_000, attempts: 2 },
      { n: 1, at: 7_000, attempts: 3 },
    ])
    const [letter] = await world.store.deadLetters.list()
    expect(letter).toMatchObject({
      messageId: id,
      handler: 'main',
      key: 'a',
      attempts: 4,
      code: 'Error',
      reason: 'no 1',
    })
    expect(letter?.detail).toContain('retry.test.ts')
    expect(world.seen('retrying').map((step) => step.inMs)).toEqual([1_000, 2_000, 4_000])
    expect(world.seen('dead')).toHaveLength(1)
    await world.close()
  })

  it('works once it stops failing, and its effect is kept once', async () => {
    const failing = new Set([1])
    const { clock, world, tries } = await setUp(failing)
    await world.publish('a', 1)
    await clock.advance(1_500)
    failing.clear()
    await clock.advance(60_000)
    expect(tries.map(({ at }) => at)).toEqual([0, 1_000, 3_000])
    expect(await world.store.held.counts()).toEqual([])
    expect(world.seen('handled').map((step) => step.outcome)).toEqual(['committed'])
    await world.close()
  })

  it('is given up at once when it says that trying again cannot help', async () => {
    const world = await World.open()
    let tries = 0
    world.handler('main', () => {
      tries += 1
      throw permanent('Author "U1" does not exist')
    })
    const id = await world.publish('a', 1)
    await world.consumer().step()
    expect(tries).toBe(1)
    const letters = await world.store.deadLetters.list({ messageId: id })
    expect(letters).toMatchObject([{ code: 'PERMANENT', reason: 'Author "U1" does not exist', attempts: 1 }])
    await world.close()
  })

  it('holds later messages of its key, visibly and in order, until it is retried', async () => {
    const failing = new Set([1])
    const { clock, world, tries } = await setUp(failing)
    for (const n of [1, 2, 3, 4]) await world.publish('a', n)
    await world.publish('b', 10)
    await clock.advance(60_000)
    expect(tries.filter(({ n }) => n !== 1).map(({ n }) => n)).toEqual([10])
    const [letter] = await world.store.deadLetters.list()
    expect(letter).toMatchObject({ behind: 3, key: 'a' })

    failing.clear()
    await world.store.deadLetters.retry(letter?.id as number)
    await clock.advance(10_000)
    expect(tries.slice(-4).map(({ n }) => n)).toEqual([1, 2, 3, 4])
    expect(tries.at(-4)?.attempts).toBe(0)
    expect(await world.store.held.counts()).toEqual([])
    await world.close()
  })

  it('holds nobody without parking', async () => {
    const { clock, world, tries } = await setUp(new Set([1]), ['parking'])
    for (const n of [1, 2, 3]) await world.publish('a', n)
    await clock.advance(60_000)
    expect(await world.store.deadLetters.list()).toMatchObject([{ behind: 0 }])
    expect(tries.filter(({ n }) => n !== 1).map(({ n }) => n)).toEqual([2, 3])
    await world.close()
  })

  it('lets what waits behind it go on when it is skipped', async () => {
    const { clock, world, tries } = await setUp(new Set([1]))
    for (const n of [1, 2, 3]) await world.publish('a', n)
    await clock.advance(60_000)
    const before = tries.length
    const [letter] = await world.store.deadLetters.list()
    await world.store.deadLetters.skip(letter?.id as number)
    await clock.advance(10_000)
    expect(tries.slice(before).map(({ n }) => n)).toEqual([2, 3])
    await world.close()
  })

  it('runs an edited body under the same message id', async () => {
    const failing = new Set([1])
    const { clock, world, tries } = await setUp(failing)
    const id = await world.publish('a', 1)
    await clock.advance(60_000)
    const [letter] = await world.store.deadLetters.list()
    const body = JSON.parse(letter?.body as string)
    await world.store.deadLetters.edit(letter?.id as number, JSON.stringify({ ...body, data: { key: 'a', n: 7 } }))
    await clock.advance(10_000)
    expect(tries.at(-1)?.n).toBe(7)
    expect(await world.store.inbox.seen(id, 'main')).toBe(true)
    await world.close()
  })

  it('is a dead letter again when it was edited into something that is no message', async () => {
    const { clock, world } = await setUp(new Set([1]))
    await world.publish('a', 1)
    await clock.advance(60_000)
    const [letter] = await world.store.deadLetters.list()
    await world.store.deadLetters.edit(letter?.id as number, '{"oops"')
    await clock.advance(10_000)
    expect(await world.store.deadLetters.get(letter?.id as number)).toMatchObject({
      state: 'dead',
      code: 'MESSAGE_MALFORMED',
      body: '{"oops"',
    })
    await world.close()
  })

  it('keeps its attempts and its wait over a restart', async () => {
    const { clock, world, tries, consumer } = await setUp(new Set([1]))
    await world.publish('a', 1)
    await clock.advance(500)
    await consumer.stop()
    await clock.advance(10_000)
    expect(tries).toHaveLength(1)
    await consumer.start()
    await clock.advance(1)
    expect(tries.at(-1)).toMatchObject({ n: 1, attempts: 1, at: 10_500 })
    await world.close()
  })

  it('parks only itself where no order is kept', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const done: number[] = []
    world.handler(
      'main',
      ({ n }) => {
        if (n === 1) throw permanent('never')
        done.push(n)
      },
      { ordered: false },
    )
    await world.consumer().start()
    for (const n of [1, 2, 3]) await world.publish('a', n)
    await clock.advance(1_000)
    expect(done.sort()).toEqual([2, 3])
    expect(await world.store.deadLetters.list()).toMatchObject([{ behind: 0 }])
    await world.close()
  })

  it('answers for a refused command, which holds nothing', async () => {
    const world = await World.open()
    const done: number[] = []
    world.handler(
      'main',
      ({ n }) => {
        if (n === 1) throw Object.assign(new Error('already placed'), { name: 'ObverseError', code: 'REFUSED' })
        done.push(n)
      },
      { tracked: true },
    )
    await world.publish('a', 1)
    await world.publish('a', 2)
    await world.consumer().step()
    expect(done).toEqual([2])
    expect(await world.store.deadLetters.list()).toMatchObject([{ code: 'REFUSED', reason: 'already placed' }])
    await world.close()
  })

  it('costs only its own handler the repetition', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const runs: string[] = []
    let failing = true
    world.handler('one', () => runs.push('one'))
    world.handler('two', () => {
      runs.push('two')
      if (failing) throw new Error('no')
    })
    world.handler('three', () => runs.push('three'))
    await world.consumer().start()
    await world.publish('a', 1)
    await turns()
    expect(runs).toEqual(['one', 'two', 'three'])
    failing = false
    await clock.advance(1_000)
    expect(runs).toEqual(['one', 'two', 'three', 'two'])
    expect(await world.broker.stats()).toMatchObject([{ messages: 0 }])
    await world.close()
  })
})
