import { command, createApp, event, handle, refuse, systemRuntime, unchecked } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, test } from 'vitest'
import { ordersApp, PlaceOrder, without } from './orders.ts'

const Charge = command('charge', unchecked<{ cents: number }>())
const Charged = event('charged', unchecked<{ cents: number }>(), { key: () => 'account' })

function charging(options: { runtime?: typeof systemRuntime; gate?: Promise<void>; wait?: number } = {}) {
  let runs = 0
  const charge = handle(Charge, async (c, ctx) => {
    runs += 1
    await options.gate
    if (c.cents < 0) throw refuse('No negative charges')
    if (c.cents === 13) throw new Error('the till is stuck')
    ctx.publish(Charged(c))
    return { receipt: runs }
  })
  const app = createApp({
    handlers: [charge],
    store: memory(),
    runtime: options.runtime ?? systemRuntime,
    limits: { idempotencyWait: options.wait ?? 5_000 },
  })
  return { app, runs: () => runs, charged: () => app.operate.log.head() }
}

describe('idempotency key', () => {
  test('a repeat gets the same answer and no second effect', async () => {
    const { app, runs, charged } = charging()
    const first = await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })
    const again = await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })
    expect(again).toEqual({ ...first, replayed: true })
    expect(runs()).toBe(1)
    expect(await charged()).toBe(1)
    await app.stop()
  })

  test('canary: without the claim the repeat takes effect', async () => {
    const { app, charged } = charging({ runtime: without('idempotency-claim') })
    await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })
    await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })
    expect(await charged()).toBe(2)
    await app.stop()
  })

  test('another body under the same key is refused, whatever the order of its fields', async () => {
    const app = ordersApp()
    await app.send(PlaceOrder({ orderId: 'o', lines: ['a'] }), { idempotencyKey: 'k' })
    const turned = PlaceOrder({ lines: ['a'], orderId: 'o' })
    expect((await app.send(turned, { idempotencyKey: 'k' })).replayed).toBe(true)
    const other = PlaceOrder({ orderId: 'o', lines: ['b'] })
    await expect(app.send(other, { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
      status: 422,
    })
    await app.stop()
  })

  test('the key is scoped by principal and command', async () => {
    const { app, charged } = charging()
    await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k', principal: 'ada' })
    await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k', principal: 'bob' })
    await app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })
    expect(await charged()).toBe(3)
    await app.stop()
  })

  test('a refusal is repeated as it was; an error of ours is not kept', async () => {
    const { app, runs } = charging()
    const refused = { code: 'REFUSED', message: 'No negative charges', status: 409 }
    await expect(app.send(Charge({ cents: -1 }), { idempotencyKey: 'n' })).rejects.toMatchObject(refused)
    await expect(app.send(Charge({ cents: -1 }), { idempotencyKey: 'n' })).rejects.toMatchObject(refused)
    expect(runs()).toBe(1)
    await expect(app.send(Charge({ cents: 13 }), { idempotencyKey: 'e' })).rejects.toMatchObject({ status: 500 })
    await expect(app.send(Charge({ cents: 13 }), { idempotencyKey: 'e' })).rejects.toMatchObject({ status: 500 })
    expect(runs()).toBe(3)
    await app.stop()
  })

  test('a twin waits for the first and gets its answer', async () => {
    const gate = Promise.withResolvers<void>()
    const { app, runs, charged } = charging({ gate: gate.promise })
    const twins = [1, 2, 3].map(() => app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' }))
    gate.resolve()
    const answers = await Promise.all(twins)
    expect(new Set(answers.map(({ messageId }) => messageId)).size).toBe(1)
    expect(runs()).toBe(1)
    expect(await charged()).toBe(1)
    await app.stop()
  })

  test('a twin that has waited too long is told so', async () => {
    const gate = Promise.withResolvers<void>()
    const { app } = charging({ gate: gate.promise, wait: 20 })
    const first = app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })
    await expect(app.send(Charge({ cents: 5 }), { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_IN_PROGRESS',
      status: 409,
    })
    gate.resolve()
    await first
    await app.stop()
  })
})
