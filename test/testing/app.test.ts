import assert from 'node:assert/strict'
import { handle } from 'obverse'
import { drain, testApp } from 'obverse/testing'
import { describe, test } from 'vitest'
import { Deposit, Deposited, deposit, listener, Note, Open, openAccount } from './accounts.ts'

describe('an application under test', () => {
  test('runs in memory, and drains without waiting', async () => {
    const seen: unknown[] = []
    const { app, recorded, ...under } = testApp({ handlers: [openAccount, deposit, listener(seen)] })
    await app.send(Open({ id: 'a', limit: 1 }))
    await app.send(Deposit({ id: 'a', amount: 1 }))
    await app.send(Deposit({ id: 'a', amount: 2 }))
    assert.deepEqual(seen, [])
    assert.ok((await under.drain()) > 0)
    assert.deepEqual(seen, [
      { id: 'a', amount: 1 },
      { id: 'a', amount: 2 },
    ])
    assert.equal(await drain(app), 0)
    assert.equal(recorded.handled(Deposited.type), 2)
    assert.ok(recorded.handled(Deposited.type, 2))
    assert.ok(!recorded.handled(Deposited.type, 1))
    assert.equal(recorded.published(Deposited.type), 2)
    assert.equal(recorded.published('nobody'), 0)
    assert.equal(recorded.steps('sent').length, 3)
    await app.stop()
  })

  test('what is due later waits for the clock', async () => {
    const notes: string[] = []
    const write = handle(Note, { channel: 'notes' }, ({ text }) => void notes.push(text))
    const { app, advance, ...under } = testApp({ handlers: [write] })
    await app.send(Note({ text: 'later' }), { delay: 60_000 })
    await app.send(Note({ text: 'now' }))
    await under.drain()
    assert.deepEqual(notes, ['now'])
    await advance(59_000)
    assert.deepEqual(notes, ['now'])
    await advance(1_000)
    assert.deepEqual(notes, ['now', 'later'])
    await app.stop()
  })

  test('the recorder tells what was given up', async () => {
    const seen: unknown[] = []
    const fails = listener(seen, () => true)
    const { app, recorded, ...under } = testApp({ handlers: [openAccount, deposit, fails] })
    await app.send(Open({ id: 'a', limit: 1 }))
    await app.send(Deposit({ id: 'a', amount: 1 }))
    await under.drain()
    assert.deepEqual(
      recorded.dead().map(({ type, handler, code }) => [type, handler, code]),
      [[Deposited.type, 'listener', 'PERMANENT']],
    )
    recorded.clear()
    assert.deepEqual(recorded.steps(), [])
    await app.stop()
  })
})
