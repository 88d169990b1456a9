import { command, conflict, createApp, event, handle, systemRuntime, unchecked } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, test } from 'vitest'
import { AddLine, addLine, ordersApp, PlaceOrder, placeOrder, without } from './orders.ts'

/** Lets another application slip in between load and commit, `times` times: what a second process does. */
function intruding(times: number, runtime = systemRuntime) {
  const store = memory()
  let left = times
  const other = createApp({ handlers: [placeOrder, addLine], store })
  const slow = {
    name: store.name,
    async open(environment: Parameters<typeof store.open>[0]) {
      const open = await store.open(environment)
      const transactions: typeof open.transactions = {
        ...open.transactions,
        hasTables: false,
        knowsPosition: true,
        enter: (entry) => open.transactions.enter(entry),
        transact: (entry, work) => open.transactions.transact(entry, work),
        commit: (entry, unit) => open.transactions.commit(entry, unit),
        /** As a store with many writers does it: load, decide, then commit with the loaded version expected. */
        async decide(entry, request, decision) {
          const loaded = await open.events.load(request.key, { types: request.types })
          const unit = decision(loaded)
          if (left > 0) {
            left -= 1
            await other.send(AddLine({ orderId: request.key, line: 'intruder' }))
          }
          return open.transactions.commit(entry, unit)
        },
      }
      return { ...open, transactions }
    },
  }
  return { other, app: createApp({ handlers: [placeOrder, addLine], store: slow, runtime }) }
}

async function addThrough(times: number, runtime = systemRuntime) {
  const { app, other } = intruding(times, runtime)
  await other.send(PlaceOrder({ orderId: 'o', lines: ['first'] }))
  const outcome = await app.send(AddLine({ orderId: 'o', line: 'mine' })).then(
    () => 'done',
    (error: { code: string }) => error.code,
  )
  const seqs = (await other.operate.log.read(0, 100)).map(({ seq }) => seq)
  await app.stop()
  await other.stop()
  return { outcome, seqs }
}

describe('expected version', () => {
  test('a decision that was overtaken is made again on the new state', async () => {
    const { outcome, seqs } = await addThrough(3)
    expect(outcome).toBe('done')
    expect(seqs).toEqual([1, 2, 3, 4, 5])
  })

  test('after a few times it is a conflict, and nothing of it was kept', async () => {
    const { outcome, seqs } = await addThrough(50)
    expect(outcome).toBe('CONFLICT')
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  test('canary: without expected versions the overtaken decision is written, on a state it never saw', async () => {
    const { outcome, seqs } = await addThrough(50, without('expected-version'))
    expect(outcome).toBe('done')
    expect(seqs).toHaveLength(3)
  })

  test('concurrent commands on one key all take effect, one after the other', async () => {
    const app = ordersApp()
    await app.send(PlaceOrder({ orderId: 'o', lines: ['0'] }))
    await Promise.all(Array.from({ length: 100 }, (_, n) => app.send(AddLine({ orderId: 'o', line: `${n}` }))))
    const events = await app.operate.log.read(0, 200)
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1))
    expect(new Set(events.slice(1).map(({ data }) => (data as { line: string }).line)).size).toBe(100)
    await app.stop()
  })

  test('a handler that throws conflict() is run again', async () => {
    const Touch = command('touch', unchecked<{ id: string }>())
    const Touched = event('touched', unchecked<{ id: string }>(), { key: (e) => e.id })
    let runs = 0
    const touch = handle(Touch, (c, ctx) => {
      ctx.publish(Touched(c))
      runs += 1
      if (runs < 3) throw conflict('the row has changed')
      return runs
    })
    const app = createApp({ handlers: [touch], store: memory() })
    expect((await app.send(Touch({ id: 'a' }))).result).toBe(3)
    expect(await app.operate.log.head()).toBe(1)
    await app.stop()
  })
})
