import { command, createApp, event, handle, outage, parseToken, permanent, refuse, unchecked } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { AddLine, OrderPlaced, ordersApp, PlaceOrder, placeOrder } from './orders.ts'

const Count = command('count', unchecked<{ to: number }>())

describe('send', () => {
  test('resolves when the handler has run and committed, with its result and a token of what was written', async () => {
    const app = ordersApp()
    const sent = await app.send(PlaceOrder({ orderId: 'o-1', lines: ['a'] }))
    expect(sent).toMatchObject({ result: undefined, replayed: false })
    expect(parseToken(sent.token)).toEqual([{ type: 'orders.placed', key: 'o-1', seq: 1 }])
    const [stored] = await app.operate.log.read(0, 10)
    expect(stored).toMatchObject({
      type: 'orders.placed',
      key: 'o-1',
      seq: 1,
      position: 1,
      data: { orderId: 'o-1', lines: ['a'] },
      metadata: { correlationId: sent.messageId, causationId: sent.messageId },
    })
    await app.stop()
  })

  test('bad data is refused before the handler, field by field', async () => {
    const app = ordersApp()
    const bad = PlaceOrder({ orderId: '', lines: [], colour: 'red' } as never)
    await expect(app.send(bad)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      fields: { orderId: expect.anything(), lines: expect.anything(), colour: expect.anything() },
    })
    expect(await app.operate.log.head()).toBe(0)
    await app.stop()
  })

  test('a refusal is a typed error and leaves nothing', async () => {
    const app = ordersApp()
    await app.send(PlaceOrder({ orderId: 'o-1', lines: ['a'] }))
    await expect(app.send(PlaceOrder({ orderId: 'o-1', lines: ['b'] }))).rejects.toMatchObject({
      code: 'REFUSED',
      status: 409,
      reason: 'placed',
      message: 'The order is placed already',
    })
    await expect(app.send(AddLine({ orderId: 'o-2', line: 'x' }))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await app.operate.log.head()).toBe(1)
    await app.stop()
  })

  test('a handler that throws M is an error that names the message and carries M as cause', async () => {
    const cause = new Error('the printer is on fire')
    const boom = handle(Count, () => {
      throw cause
    })
    const app = createApp({ handlers: [boom], store: memory() })
    await expect(app.send(Count({ to: 1 }))).rejects.toMatchObject({
      code: 'HANDLER_FAILED',
      message: expect.stringContaining('count'),
      cause,
    })
    await app.stop()
  })

  test.each([
    [permanent('never'), 'PERMANENT'],
    [outage('the bank is down'), 'DEPENDENCY_DOWN'],
    [refuse('no'), 'REFUSED'],
  ])('a coded error of a handler stays what it is (%s)', async (error, code) => {
    const app = createApp({ handlers: [handle(Count, () => Promise.reject(error))], store: memory() })
    await expect(app.send(Count({ to: 1 }))).rejects.toMatchObject({ code })
    await app.stop()
  })

  test('a handler that makes an event its schema refuses is at fault, not its caller', async () => {
    const Counted = event('counted', z.object({ n: z.number() }), { key: () => 'k' })
    const count = handle(Count, (_, ctx) => ctx.publish(Counted({ n: 'x' } as never)))
    const app = createApp({ handlers: [count], store: memory() })
    await expect(app.send(Count({ to: 1 }))).rejects.toMatchObject({ code: 'HANDLER_FAILED', status: 500 })
    await app.stop()
  })

  test('an event without a key says how to give it one', async () => {
    const count = handle(Count, (_, ctx) => ctx.publish(OrderPlaced({ orderId: 'x', lines: [] })))
    const app = createApp({ handlers: [count], store: memory() })
    await expect(app.send(Count({ to: 1 }))).rejects.toThrow(/orders.placed has no key.*{ key:/)
    await app.stop()
  })

  test('more commands at once than the limit are turned away, and none of the others is hurt', async () => {
    const gate = Promise.withResolvers<void>()
    const wait = handle(Count, () => gate.promise)
    const app = createApp({ handlers: [wait], store: memory(), limits: { commandsInFlight: 2 } })
    await app.open()
    const running = [app.send(Count({ to: 1 })), app.send(Count({ to: 2 }))]
    await expect(app.send(Count({ to: 3 }))).rejects.toMatchObject({ code: 'OVERLOADED', status: 503 })
    gate.resolve()
    await Promise.all(running)
    await app.send(Count({ to: 4 }))
    await app.stop()
  })

  test('an event that is larger than the limit is refused whole', async () => {
    const app = ordersApp({ limits: { payload: 100 } })
    await expect(app.send(PlaceOrder({ orderId: 'o', lines: ['x'.repeat(200)] }))).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    })
    expect(await app.operate.log.head()).toBe(0)
    await app.stop()
  })

  test('an event that nobody handles is stored and is no error', async () => {
    const app = createApp({ handlers: [placeOrder], store: memory() })
    await app.send(PlaceOrder({ orderId: 'o', lines: ['a'] }))
    expect(await app.drain()).toBe(0)
    expect(await app.operate.log.head()).toBe(1)
    await app.stop()
  })

  test.each(['a\ud800', 'a\0b', 'k'.repeat(501)])(
    'a key that a store could not keep apart is refused (%#)',
    async (id) => {
      const app = ordersApp()
      await expect(app.send(PlaceOrder({ orderId: id, lines: ['a'] }))).rejects.toMatchObject({ code: 'UNPROCESSABLE' })
      await app.stop()
    },
  )

  test('data may be left out where the schema says so, with an idempotency key too', async () => {
    const Ping = command('ping', unchecked<undefined>())
    const app = createApp({ handlers: [handle(Ping, () => 'pong')], store: memory() })
    expect((await app.send(Ping(undefined), { idempotencyKey: 'k' })).result).toBe('pong')
    expect((await app.send(Ping(undefined), { idempotencyKey: 'k' })).replayed).toBe(true)
    await app.stop()
  })
})
