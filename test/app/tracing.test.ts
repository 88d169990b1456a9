import { command, createApp, event, handle, type TraceNode, unchecked } from 'obverse'
import { describe, expect, test } from 'vitest'
import { stores } from '../paths/stores.ts'

const Order = command('order', unchecked<{ id: string }>())
const Ordered = event('ordered', unchecked<{ id: string }>(), { key: (e) => e.id })
const Ship = command('ship', unchecked<{ id: string }>(), { key: (c) => c.id })
const Shipped = event('shipped', unchecked<{ id: string }>(), { key: (e) => e.id })

const order = handle(Order, (c, ctx) => ctx.publish(Ordered(c)))
const shipWhenOrdered = handle(Ordered, { channel: 'sales' }, (e, ctx) => {
  ctx.send(Ship(e))
})
const ship = handle(Ship, { channel: 'warehouse' }, (c, ctx) => ctx.publish(Shipped(c)))

function outline(nodes: readonly TraceNode[]): unknown {
  return nodes.map(({ type, state, caused }) => [type, state, ...(outline(caused) as unknown[])])
}

describe.each(stores)('follow a message on %s', (_, store) => {
  test('from any message of a correlation the whole tree is found', async () => {
    const app = createApp({ handlers: [order, shipWhenOrdered, ship], store: store() })
    const { messageId } = await app.send(Order({ id: 'a' }), { principal: 'ada' })
    await app.drain()
    const tree = [['order', 'done', ['ordered', 'logged', ['ship', 'done', ['shipped', 'logged']]]]]
    expect(outline(await app.operate.trace(messageId))).toEqual(tree)
    const events = await app.operate.log.read(0, 10)
    for (const { id, metadata } of events) {
      expect(outline(await app.operate.trace(id))).toEqual(tree)
      expect(metadata).toMatchObject({ correlationId: messageId, principal: 'ada' })
    }
    await app.stop()
  })

  test('an event says where it is: queued here, dead there', async () => {
    const broken = handle(Ordered, { channel: 'sales', retry: { retries: 0 } }, () => {
      throw new Error('no van')
    })
    const app = createApp({ handlers: [order, broken], store: store() })
    await app.send(Order({ id: 'a' }))
    const [ordered] = await app.operate.log.read(0, 1)
    expect(await app.operate.status(ordered?.id as string)).toMatchObject({ state: 'logged', seq: 1, position: 1 })
    await app.drain()
    expect(await app.operate.status(ordered?.id as string)).toMatchObject({
      state: 'dead',
      reason: expect.stringContaining('no van'),
    })
    expect(await app.operate.status('01890000-0000-7000-8000-000000000000')).toBeUndefined()
    await app.stop()
  })

  test('doctor says what is wrong and what to do', async () => {
    const app = createApp({ handlers: [order, shipWhenOrdered, ship], store: store() })
    await app.send(Order({ id: 'a' }))
    const findings = await app.operate.doctor()
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        subject: 'channel sales',
        remedy: expect.stringContaining('consume'),
      }),
    )
    expect(findings).toContainEqual(expect.objectContaining({ level: 'ok', subject: 'store' }))
    await app.stop()
  })
})
