import { createLoop, type Runtime, systemRuntime } from 'obverse'
import { describe, expect, test } from 'vitest'

/** Timers run only when the test says so. */
function handClock() {
  const timers: { ms: number; work: () => void }[] = []
  const runtime: Runtime = {
    ...systemRuntime,
    random: () => 0,
    after(ms, work) {
      const timer = { ms, work }
      timers.push(timer)
      return () => {
        const at = timers.indexOf(timer)
        if (at >= 0) timers.splice(at, 1)
      }
    },
  }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { runtime, timers, settle, fire: () => timers.shift()?.work() }
}

describe('loop', () => {
  test('runs again at once while there is more, then rests', async () => {
    const clock = handClock()
    let left = 3
    const loop = createLoop({ name: 't', idle: 250, runtime: clock.runtime, step: () => --left > 0 })
    loop.start()
    await clock.settle()
    expect(left).toBe(0)
    expect(clock.timers.map((timer) => timer.ms)).toEqual([250])
    await loop.stop()
    expect(clock.timers).toEqual([])
  })

  test('a wake during a step is not lost', async () => {
    const clock = handClock()
    let runs = 0
    const gate = Promise.withResolvers<void>()
    const step = async () => {
      runs += 1
      if (runs === 1) await gate.promise
      return false
    }
    const loop = createLoop({ name: 't', idle: 250, runtime: clock.runtime, step })
    loop.start()
    loop.wake()
    gate.resolve()
    await clock.settle()
    expect(runs).toBe(2)
    await loop.stop()
  })

  test('goes on after errors, backing off, and forgets them after a success', async () => {
    const clock = handClock()
    let failing = 2
    const errors: unknown[] = []
    const step = () => {
      if (failing-- > 0) throw new Error('no')
      return false
    }
    const loop = createLoop({ name: 't', idle: 250, runtime: clock.runtime, step, onError: (e) => errors.push(e) })
    loop.start()
    await clock.settle()
    expect(clock.timers[0]?.ms).toBe(50)
    loop.wake()
    await clock.settle()
    expect(errors).toHaveLength(1)
    clock.fire()
    await clock.settle()
    expect(clock.timers[0]?.ms).toBe(100)
    clock.fire()
    await clock.settle()
    expect(errors).toHaveLength(2)
    expect(clock.timers[0]?.ms).toBe(250)
    await loop.stop()
  })

  test('stop waits for the running step; start and stop work twice', async () => {
    const clock = handClock()
    const gate = Promise.withResolvers<boolean>()
    let ended = false
    const step = () => gate.promise.finally(() => (ended = true))
    const loop = createLoop({ name: 't', idle: 250, runtime: clock.runtime, step })
    loop.start()
    loop.start()
    const stopped = Promise.all([loop.stop(), loop.stop()])
    gate.resolve(true)
    await stopped
    expect(ended).toBe(true)
    expect(loop.running).toBe(false)
  })
})
