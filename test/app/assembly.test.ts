import { answer, command, createApp, decide, event, handle, projection, query, unchecked, view } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, test } from 'vitest'
import { AddLine, OrderPlaced, order, PlaceOrder, placeOrder } from '../write/orders.ts'

const store = memory()
const Ask = query('ask', unchecked<object>(), unchecked<number>())
const rows = view('rows', { row: unchecked<{ id: string }>(), key: 'id' })
const fill = (name: string, options = {}) => projection(name, rows, options).on(OrderPlaced, () => {})

describe('start-up check', () => {
  test.each([
    ['two handlers for one command', () => [placeOrder, handle(PlaceOrder, () => 1)], 'HANDLER_DUPLICATE'],
    [
      'two handlers of one name',
      () => [handle(OrderPlaced, () => 1), handle(OrderPlaced, () => 2)],
      'HANDLER_DUPLICATE',
    ],
    ['two queries of one type', () => [answer(Ask, () => 1), answer(Ask, () => 2)], 'HANDLER_DUPLICATE'],
    [
      'two definitions of one type',
      () => [placeOrder, handle(event('orders.placed', unchecked<object>()), () => 1)],
      'DEFINITION_DUPLICATE',
    ],
  ])('%s', (_, handlers, code) => {
    expect(() => createApp({ handlers: handlers(), store })).toThrow(expect.objectContaining({ code }))
  })

  test('a command or query without a handler', () => {
    const make = (messages: Parameters<typeof createApp>[0]['messages'] = []) =>
      createApp({ handlers: [placeOrder], store, messages })
    expect(() => make([AddLine])).toThrow(/orders.add-line/)
    expect(() => make([Ask])).toThrow(/query ask/)
    make([PlaceOrder, OrderPlaced])
  })

  test('a channel that is not declared is named, with those that are', () => {
    const slow = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId, channel: 'slwo' }, () => [])
    const channels = { slow: {}, mail: {} }
    expect(() => createApp({ handlers: [slow], store, channels })).toThrow(/"slwo".*slow, mail/)
    expect(() => createApp({ handlers: [], store, channels: { slow: { concurrency: 0 } } })).toThrow(
      /concurrency.*slow/,
    )
  })

  test('a view has one projection, and a limit exists', async () => {
    const two = createApp({ handlers: [], projections: [fill('a'), fill('b')], store })
    await expect(two.open()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(() => createApp({ handlers: [], store, limits: { payloads: 1 } as never })).toThrow(/payloads/)
  })

  test('a command nobody handles is said so when it is sent', async () => {
    const app = createApp({ handlers: [], store: memory() })
    const stray = command('stray', unchecked<object>())({})
    await expect(app.send(stray as never)).rejects.toMatchObject({ code: 'HANDLER_MISSING' })
    await expect(app.ask(Ask({}))).rejects.toMatchObject({ code: 'HANDLER_MISSING' })
    await app.stop()
  })
})
