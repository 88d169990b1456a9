import { describe, expect, it } from 'vitest'
import { movedClock, World } from '../world.ts'

describe('a handler that takes too long', () => {
  it('is told so; what it then throws is a failed attempt', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const reasons: unknown[] = []
    world.handler('main', async (_note, _delivery, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      reasons.push(signal.reason)
      throw new Error('aborted')
    })
    await world.consumer({ timeout: 1_000, retry: { retries: 0 } }).start()
    await world.publish('a', 1)
    await clock.advance(999)
    expect(reasons).toEqual([])
    await clock.advance(1)
    expect(reasons).toMatchObject([
      { code: 'HANDLER_TOO_SLOW', message: expect.stringContaining('longer than 1000 ms') },
    ])
    expect(world.seen('retrying')).toMatchObject([{ attempt: 1 }])
    await world.close()
  })

  it('and commits all the same has committed', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    world.handler('main', (_note, _delivery, signal) => {
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    })
    await world.consumer({ timeout: 1_000 }).start()
    await world.publish('a', 1)
    await clock.advance(2_000)
    expect(world.seen('handled')).toMatchObject([{ outcome: 'committed', ms: 1_000 }])
    expect(await world.store.held.counts()).toEqual([])
    await world.close()
  })

  it('and never ends is given up; others of its key go on, and what it commits later changes nothing', async () => {
    const clock = movedClock()
    const world = await World.open({ runtime: clock.runtime })
    const late = Promise.withResolvers<void>()
    const done: string[] = []
    world.handler(
      'main',
      async ({ n }, { attempts }) => {
        if (n === 1 && attempts === 0) await late.promise
        done.push(`${n} after ${attempts}`)
      },
      { timeout: 2_000 },
    )
    await world.consumer().start()
    await world.publish('a', 1)
    await world.publish('a', 2)
    await clock.advance(6_999)
    expect(done).toEqual([])
    await clock.advance(1_001)
    expect(done).toEqual(['1 after 1', '2 after 0'])
    late.resolve()
    await clock.advance(1)
    expect(world.seen('handled').map((step) => step.outcome)).toEqual(['held', 'committed', 'committed'])
    expect(await world.store.held.counts()).toEqual([])
    await world.close()
  })
})
