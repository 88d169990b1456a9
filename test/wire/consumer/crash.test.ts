import type { Protection } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { until, World } from '../world.ts'

const BAD = 3
const GOOD = 12

/** A message that ends its process; processes are started again until it is given up, at most `most` times. */
async function run(without: Protection[] = [], most = 12) {
  const store = memory()
  const operator = await World.open({ store })
  operator.handler('main', () => {})
  for (let n = 0; n < GOOD; n += 1) await operator.publish(`k${n}`, n)
  const done = new Map<number, number>()
  const attemptsOf: number[] = []
  let processes = 0
  const left = async () => (await operator.broker.stats())[0]?.messages ?? 0
  while (processes < most && (await left()) > 0) {
    processes += 1
    const world = await World.open({ store, runtime: { without: new Set(without) } })
    world.handler('main', async ({ n }, { attempts }) => {
      if (n === BAD) {
        attemptsOf.push(attempts)
        await world.crash()
        await new Promise(() => {})
      }
      // while this one runs, the process may end
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      if (world.crashed) await new Promise(() => {})
      done.set(n, (done.get(n) ?? 0) + 1)
    })
    await world.consumer({ concurrency: 4 }).start()
    await until('the process ended, or nothing is left', async () => world.crashed || (await left()) === 0)
    if (!world.crashed) await world.close()
  }
  const letters = await operator.store.deadLetters.list()
  const messages = await left()
  await operator.close()
  return { processes, letters, done, attemptsOf, messages }
}

describe('a message that ends its process', () => {
  it('is given up after as many attempts as the policy has, and its neighbours are handled', async () => {
    const { letters, done, attemptsOf, messages, processes } = await run()
    expect(letters).toMatchObject([{ code: 'CRASH_LOOP', handler: 'main', key: `k${BAD}`, attempts: 4 }])
    expect([...done.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11])
    // fresh, then redelivered: 1st to 4th recorded attempt
    expect(attemptsOf).toEqual([0, 0, 1, 2, 3])
    expect(processes).toBe(6)
    expect(messages).toBe(0)
  })

  it('goes on for ever without attempt-first', async () => {
    const { letters, processes, messages } = await run(['attempt-first'])
    expect(letters).toEqual([])
    expect(processes).toBe(12)
    expect(messages).toBeGreaterThan(0)
  })
})

describe('a process that ends', () => {
  it('in a retry of a held message has made an attempt', async () => {
    const store = memory()
    const operator = await World.open({ store })
    operator.handler('main', () => {})
    await operator.publish('a', 1)
    let ran = 0
    const letters = () => operator.store.deadLetters.list()
    for (let processes = 0; processes < 10 && (await letters()).length === 0; processes += 1) {
      const world = await World.open({ store })
      world.handler(
        'main',
        async () => {
          ran += 1
          if (ran === 1) throw new Error('first')
          await world.crash()
          await new Promise(() => {})
        },
        { retry: { delay: 1, jitter: 0 } },
      )
      await world.consumer().start()
      await until('the process ended, or gave up', async () => world.crashed || (await letters()).length > 0)
      if (!world.crashed) await world.close()
    }
    // one failed, then a crash that nobody could record, then the 2nd to 4th attempt
    expect(await letters()).toMatchObject([{ code: 'CRASH_LOOP', attempts: 4 }])
    expect(ran).toBe(5)
    await operator.close()
  })

  it('between two handlers of a message repeats only what is missing', async () => {
    const store = memory()
    const runs: string[] = []
    let crash = true
    const start = async () => {
      const world = await World.open({ store })
      world.handler('one', () => runs.push('one'))
      world.handler('two', async () => {
        if (crash) {
          crash = false
          await world.crash()
          await new Promise(() => {})
        }
        runs.push('two')
      })
      await world.consumer().start()
      return world
    }
    const first = await start()
    await first.publish('a', 1)
    await until('the first process ended', () => first.crashed)
    const second = await start()
    await until('the message is settled', async () => (await second.broker.stats())[0]?.messages === 0)
    expect(runs).toEqual(['one', 'two'])
    await second.close()
  })
})
