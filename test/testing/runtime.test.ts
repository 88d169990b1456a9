import assert from 'node:assert/strict'
import { sleep } from 'obverse'
import { seededRandom, testRuntime } from 'obverse/testing'
import { describe, test } from 'vitest'

describe('test runtime', () => {
  test('runs what becomes due on the way, in order, each with what follows from it', async () => {
    const runtime = testRuntime()
    const seen: string[] = []
    runtime.after(20, () => seen.push(`20 at ${runtime.elapsed()}`))
    runtime.after(10, () => {
      seen.push(`10 at ${runtime.elapsed()}`)
      void sleep(runtime, 5).then(() => seen.push(`15 at ${runtime.elapsed()}`))
    })
    runtime.after(10, () => seen.push('10, later made'))
    runtime.after(31, () => seen.push('never'))
    await runtime.advance(30)
    assert.deepEqual(seen, ['10 at 10', '10, later made', '15 at 15', '20 at 20'])
    assert.equal(runtime.elapsed(), 30)
    assert.equal(runtime.timers, 1)
  })

  test('nothing happens without the test, and a cancelled timer never does', async () => {
    const runtime = testRuntime()
    let ran = 0
    const cancel = runtime.after(0, () => {
      ran += 1
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(ran, 0)
    cancel()
    await runtime.advance(10)
    assert.equal(ran, 0)
  })

  test('the wall clock starts where it is told, moves with the other, and can be shifted alone', async () => {
    const runtime = testRuntime({ start: Date.UTC(2030, 0) })
    await runtime.advance(1_000)
    assert.equal(new Date(runtime.now()).toISOString(), '2030-01-01T00:00:01.000Z')
    runtime.shift(-60_000)
    assert.equal(runtime.elapsed(), 1_000)
    assert.equal(new Date(runtime.now()).toISOString(), '2029-12-31T23:59:01.000Z')
  })

  test('ids are UUIDs v7 that rise, also when the clock goes back', async () => {
    const runtime = testRuntime()
    const ids: string[] = []
    for (let n = 0; n < 2_000; n += 1) {
      ids.push(runtime.id())
      if (n % 500 === 0) runtime.shift(-10_000)
      if (n % 300 === 0) await runtime.advance(3)
    }
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.deepEqual(ids.toSorted(), ids)
    assert.equal(new Set(ids).size, ids.length)
  })

  test('the same seed gives the same run, another another', () => {
    const run = (seed: number) => {
      const runtime = testRuntime({ seed })
      return [runtime.id(), runtime.random(), runtime.id()]
    }
    assert.deepEqual(run(3), run(3))
    assert.notDeepEqual(run(3), run(4))
    const random = seededRandom(1)
    const all = Array.from({ length: 10_000 }, random)
    assert.ok(all.every((n) => n >= 0 && n < 1))
    const mean = all.reduce((sum, n) => sum + n, 0) / all.length
    assert.ok(Math.abs(mean - 0.5) < 0.02, `mean ${mean}`)
  })
})
