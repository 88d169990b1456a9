import { command, createApp, event, handle, projection, type TraceNode, unchecked, view } from 'obverse'
import { describe, expect, test } from 'vitest'
import { stores } from '../paths/stores.ts'

const Order = command('order', unchecked<{ id: string }>())
const Ordered = event('ordered', unchecked<{ id: string }>(), { key: (e) => e.id })
const Ship = command('ship', unchecked<{ id: string }>(), { key: (c) => c.id })
const Shipped = event('shipped', unchecked<{ id: string }>(), { key: (e) => e.id })

const ordersView = view('orders', { row: unchecked<{ id: string }>(), key: 'id' })

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

  test('an event says where it is, for each of its handlers', async () => {
    let broken = true
    const van = handle(Ordered, { channel: 'sales', name: 'van', retry: { retries: 1, delay: 60_000 } }, () => {
      if (broken) throw new Error('no van')
    })
    const bill = handle(Ordered, { channel: 'bills', name: 'bill' }, () => {})
    const rows = projection('rows', ordersView).on(Ordered, (e, r) => r.put({ id: e.id }))
    const app = createApp({ handlers: [order, van, bill], projections: [rows], store: store() })
    await app.send(Order({ id: 'a' }))
    const [ordered] = await app.operate.log.read(0, 1)
    const report = async () => {
      const found = await app.operate.status(ordered?.id as string)
      const states = Object.fromEntries((found?.handlers ?? []).map(({ name, state }) => [name, state]))
      return { state: found?.state, ...states }
    }
    expect(await report()).toEqual({ state: 'queued', van: 'queued', bill: 'queued', rows: 'queued' })
    await app.drain()
    expect(await report()).toEqual({ state: 'held', van: 'retry', bill: 'handled', rows: 'handled' })
    const [held] = await app.operate.deadLetters.list({ state: 'retry' })
    expect(held).toMatchObject({ handler: 'van', reason: 'no van', attempts: 1 })
    await app.stop()

    const giveUp = handle(Ordered, { channel: 'sales', name: 'van', retry: { retries: 0 } }, () => {
      throw new Error('no van')
    })
    const other = createApp({ handlers: [order, giveUp], store: store() })
    await other.send(Order({ id: 'a' }))
    await other.drain()
    const [event] = await other.operate.log.read(0, 1)
    expect(await other.operate.status(event?.id as string)).toMatchObject({ state: 'dead', reason: 'van: no van' })
    const [dead] = await other.operate.deadLetters.list()
    await other.operate.deadLetters.skip(dead?.id as number)
    expect(await other.operate.status(event?.id as string)).toMatchObject({ state: 'logged' })
    expect(await other.operate.status('01890000-0000-7000-8000-000000000000')).toBeUndefined()
    broken = false
    await other.stop()
  })

  test('doctor names the handler that held messages wait for in vain', async () => {
    const van = (name: string) =>
      handle(Ordered, { channel: 'sales', name, retry: { retries: 0 } }, () => {
        throw new Error('no van')
      })
    const opened = store()
    const before = createApp({ handlers: [order, van('van')], store: opened })
    await before.send(Order({ id: 'a' }))
    await before.drain()
    await before.send(Order({ id: 'a' }))
    await before.drain()
    const named = async (app: typeof before) =>
      (await app.operate.doctor()).filter(({ subject }) => subject.startsWith('handler'))
    expect(await named(before)).toEqual([])
    const after = createApp({ handlers: [order, van('lorry')], store: opened })
    expect(await named(after)).toEqual([
      {
        level: 'warning',
        subject: 'handler van',
        says: expect.stringMatching(/^2 messages held for it \(1 \w+ on sales, 1 \w+ on sales\)/),
        remedy: expect.stringContaining("{ name: 'van' }"),
      },
    ])
    for (let skipped = 0; skipped < 2; skipped += 1) {
      const [letter] = await after.operate.deadLetters.list()
      await after.operate.deadLetters.skip(letter?.id as number)
      await before.drain()
    }
    expect(await named(after)).toEqual([])
    await after.stop()
    await before.stop()
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
