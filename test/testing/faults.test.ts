import assert from 'node:assert/strict'
import { createRegistry, type FaultPoint, isObverseError } from 'obverse'
import { memory } from 'obverse/memory'
import { faults, killsFrom, SimulatedCrash, testApp, testRuntime } from 'obverse/testing'
import { describe, test } from 'vitest'
import { Deposit, deposit, listener, Open, openAccount } from './accounts.ts'

describe('faults', () => {
  test('crash the nth time, and then nothing of the process goes on', async () => {
    const process = faults().crashAt('commit.before', 2)
    await process.reach('commit.before')
    await process.reach('commit.after')
    await assert.rejects(async () => process.reach('commit.before'), SimulatedCrash)
    assert.equal(process.crashed, true)
    assert.deepEqual([process.count('commit.before'), process.count('commit.after')], [2, 1])
    const outcome = await Promise.race([
      Promise.resolve(process.reach('ack.before')).then(() => 'went on'),
      new Promise((resolve) => setImmediate(resolve, 'stayed')),
    ])
    assert.equal(outcome, 'stayed')
  })

  test('delay every time, or once', async () => {
    const seen: string[] = []
    const slow = faults().delayAt('handler.before', async () => void seen.push('each'))
    slow.delayAt('handler.before', async () => void seen.push('second'), 2)
    for (let n = 0; n < 3; n += 1) await slow.reach('handler.before')
    assert.deepEqual(seen, ['each', 'each', 'second', 'each'])
  })

  test('timers and store of a dead process are dead, those of others are not', async () => {
    const clock = testRuntime()
    const process = faults().crashAt('commit.after')
    const data = memory()
    const environment = { registry: createRegistry([]), relayed: false }
    const dead = await process.store(data).open({ ...environment, runtime: process.runtime(clock) })
    const alive = await data.open({ ...environment, runtime: clock })
    let ticks = 0
    process.runtime(clock).after(10, () => {
      ticks += 1
    })
    const entry = { name: 'test' }
    await assert.rejects(dead.transactions.commit(entry, { events: [], messages: [] }), SimulatedCrash)
    await clock.advance(20)
    assert.equal(ticks, 0)
    let answered = false
    void dead.log.head().then(() => {
      answered = true
    })
    assert.equal(await alive.log.head(), 0)
    await clock.advance(1)
    assert.equal(answered, false)
  })

  test('what a crashed consumer had taken is handled by the next, once', async () => {
    const points: readonly FaultPoint[] = ['handler.before', 'commit.before', 'commit.after', 'ack.before']
    for (const point of points) {
      const clock = testRuntime()
      const data = memory()
      const seen: unknown[] = []
      const api = testApp({ handlers: [openAccount, deposit, listener(seen)], store: data, runtime: clock })
      await api.app.send(Open({ id: 'a', limit: 1 }))
      for (const amount of [1, 2, 3]) await api.app.send(Deposit({ id: 'a', amount }))
      const process = faults().crashAt(point)
      const handlers = [openAccount, deposit, listener([])]
      const doomed = testApp({ handlers, store: process.store(data), runtime: process.runtime(clock) })
      void doomed.app.start({ consume: true })
      await clock.advance(1_000)
      assert.equal(process.crashed, true, point)
      await clock.advance(60_000)
      await api.drain()
      const handledBefore = point === 'commit.after' || point === 'ack.before' ? 1 : 0
      assert.deepEqual(
        seen,
        [1, 2, 3].slice(handledBefore).map((amount) => ({ id: 'a', amount })),
        point,
      )
      await api.app.stop()
    }
  })

  test('the faults of a real process come from a text', () => {
    assert.equal(killsFrom(undefined).count('commit.after'), 0)
    assert.ok(killsFrom('commit.after:3, relay.done'))
    for (const text of ['commit', 'commit.after:0', 'commit.after:x', ';']) {
      assert.throws(
        () => killsFrom(text),
        (error) => isObverseError(error, 'CONFIGURATION_INVALID'),
      )
    }
  })
})
