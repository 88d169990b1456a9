import { aggregate, command, createApp, decide, event, unchecked } from 'obverse'
import { memory } from 'obverse/memory'
import { describe, expect, test } from 'vitest'

const Add = command('add', unchecked<{ n: number }>())
const Added = event('added', unchecked<{ n: number }>())

/** Counts how many events each decision had to fold. */
function adding(store: ReturnType<typeof memory>, version: number) {
  const folds: number[] = []
  let folded = 0
  const sum = aggregate('sum', () => ({ total: 0 }), { snapshots: { every: 10, version } }).on(Added, (state, e) => {
    folded += 1
    return { total: state.total + e.n }
  })
  const add = decide(Add, { aggregate: sum, id: () => 'one' }, (c, state) => {
    folds.push(folded)
    totals.push(state.total)
    folded = 0
    return Added(c)
  })
  const totals: number[] = []
  return { app: createApp({ handlers: [add], store }), folds, totals }
}

describe('snapshots', () => {
  test('a long stream is folded from its last snapshot, and the state is the same', async () => {
    const { app, folds, totals } = adding(memory(), 1)
    for (let n = 1; n <= 35; n += 1) await app.send(Add({ n }))
    expect(totals).toEqual(Array.from({ length: 35 }, (_, n) => (n * (n + 1)) / 2))
    expect(Math.max(...folds)).toBeLessThanOrEqual(20)
    expect(folds.at(-1)).toBeLessThanOrEqual(10)
    await app.stop()
  })

  test('a snapshot of another version is passed over', async () => {
    const store = memory()
    const old = adding(store, 1)
    for (let n = 1; n <= 15; n += 1) await old.app.send(Add({ n }))
    const next = adding(store, 2)
    await next.app.send(Add({ n: 16 }))
    expect(next.folds).toEqual([15])
    expect(next.totals).toEqual([120])
    await old.app.stop()
    await next.app.stop()
  })

  test('events of other keys are no part of it', async () => {
    const Pay = command('pay', unchecked<{ from: string; to: string; n: number }>())
    const Moved = event('moved', unchecked<{ account: string; n: number }>(), { key: (e) => e.account })
    const seen: number[] = []
    const balance = aggregate('balance', () => ({ total: 0 }), { snapshots: { every: 2 } }).on(Moved, (state, e) => ({
      total: state.total + e.n,
    }))
    const pay = decide(Pay, { aggregate: balance, id: (c) => c.from }, (c, state) => {
      seen.push(state.total)
      return [Moved({ account: c.from, n: -c.n }), Moved({ account: c.to, n: c.n })]
    })
    const app = createApp({ handlers: [pay], store: memory() })
    for (let n = 0; n < 8; n += 1) await app.send(Pay({ from: 'a', to: 'b', n: 1 }))
    expect(seen).toEqual([0, -1, -2, -3, -4, -5, -6, -7])
    await app.stop()
  })
})
