// A view in a store of its own that loses what it had: a lost disk, a restored backup. Nobody says a word; the log does.
import {
  type App,
  answer,
  command,
  createApp,
  createRegistry,
  event,
  handle,
  type OpenStore,
  projection,
  query,
  type Step,
  type StoredRow,
  unchecked,
  type ViewStore,
  view,
} from 'obverse'
import { memory, memoryBroker } from 'obverse/memory'
import { type TestRuntime, testRuntime } from 'obverse/testing'
import { afterEach, describe, expect, it } from 'vitest'

interface Row {
  readonly id: string
  readonly total: number
}

const Deposit = command('deposit', unchecked<{ account: string; amount: number }>())
const Deposited = event('deposited', unchecked<{ account: string; amount: number }>(), { key: (e) => e.account })
const Total = query('total', unchecked<string>(), unchecked<Row | undefined>())
const totals = view('totals', { row: unchecked<Row>(), key: 'id' })
const IDS = ['a', 'b', 'a small', 'a large', 'b small', 'b large']

/** Each event touches the row of its key and one of two more rows of it. */
const byAccount = projection('by-account', totals, { feed: { channel: 'totals' } }).on(Deposited, (e, rows) => {
  const size = e.amount < 10 ? 'small' : 'large'
  for (const id of [e.account, `${e.account} ${size}`]) rows.increment(id, { total: e.amount }, { id, total: 0 })
})

describe('a view store that lost rows', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  async function world(remembers = true) {
    const runtime = testRuntime()
    const apart = await memory().open({ runtime, registry: createRegistry([]), relayed: false })
    await apart.schema.migrate([])
    const { views } = apart
    const store: ViewStore = {
      name: 'apart',
      open: (shape, generation) => views.open(shape, generation),
      drop: (shape, generation) => views.drop(shape, generation),
      lacks: (shape) => views.lacks(shape),
      ...(remembers && { checkpoints: apart.checkpoints }),
    }
    const steps: Step[] = []
    const server = memoryBroker()
    const app = createApp({
      handlers: [
        handle(Deposit, (c, ctx) => ctx.publish(Deposited(c))),
        answer(Total, (id, ctx) => ctx.view(totals).get(id)),
      ],
      projections: [byAccount],
      store: memory({ positions: 'relay' }),
      broker: async () => server.connect(),
      views: { totals: async () => store },
      channels: { totals: {} },
      observe: [(step) => steps.push(step)],
      runtime,
    })
    await app.start()
    ends.push(
      () => app.stop(),
      () => apart.close(),
    )
    return { app, apart, steps, runtime }
  }

  async function deposit(app: App, runtime: TestRuntime, amounts: readonly number[]) {
    for (const amount of amounts) await app.send(Deposit({ account: amount % 2 ? 'a' : 'b', amount }))
    await runtime.advance(5_000)
  }

  async function shown(app: App): Promise<Record<string, number | undefined>> {
    const rows = await Promise.all(IDS.map(async (id) => [id, (await app.ask(Total(id)))?.total] as const))
    return Object.fromEntries(rows)
  }

  async function rowsOf({ views }: OpenStore): Promise<readonly StoredRow[]> {
    const table = await views.open({ name: 'totals', key: 'id', lookups: [] }, 1)
    return table.load(IDS)
  }

  it('is caught up from the log when it comes back empty, and says so', async () => {
    const { app, apart, steps, runtime } = await world()
    await deposit(app, runtime, [1, 2, 3, 11, 12, 40])
    const before = await shown(app)
    expect(before).toEqual({ a: 15, b: 54, 'a small': 4, 'a large': 11, 'b small': 2, 'b large': 52 })
    await apart.schema.reset()
    expect(await rowsOf(apart)).toEqual([])
    await runtime.advance(5_000)
    expect(await shown(app)).toEqual(before)
    expect(steps).toContainEqual({ step: 'fell-back', projection: 'by-account', from: 6, to: 0 })
  })

  it('is caught up when it comes back older', async () => {
    const { app, apart, runtime } = await world()
    await deposit(app, runtime, [1, 2, 13])
    const [backup, position] = [await rowsOf(apart), await apart.checkpoints.get('by-account@1')]
    await deposit(app, runtime, [3, 4, 25])
    const before = await shown(app)
    await apart.schema.reset()
    await (await apart.views.open({ name: 'totals', key: 'id', lookups: [] }, 1)).save(backup)
    await apart.checkpoints.advance('by-account@1', 0, position)
    await runtime.advance(5_000)
    expect(await shown(app)).toEqual(before)
  })

  it('goes on right with the next event, before anybody has noticed', async () => {
    const { app, apart, runtime } = await world()
    await deposit(app, runtime, [1, 3, 11])
    await apart.schema.reset()
    await app.send(Deposit({ account: 'a', amount: 5 }))
    await runtime.advance(50)
    expect(await shown(app)).toMatchObject({ a: 20, 'a small': 9, 'a large': 11 })
  })

  it('is emptied by a reset, and filled by what happens then', async () => {
    const { app, apart, runtime } = await world()
    await deposit(app, runtime, [1, 2, 3, 11])
    await app.operate.projections.rebuild('by-account')
    await deposit(app, runtime, [1])
    await app.operate.reset()
    for (const generation of [1, 2]) {
      const table = await apart.views.open({ name: 'totals', key: 'id', lookups: [] }, generation)
      expect(await table.load(IDS)).toEqual([])
    }
    expect(await apart.checkpoints.all()).toEqual([])
    // seq begins at 1 again: a row that stayed would have seen it
    await deposit(app, runtime, [7])
    expect(await shown(app)).toMatchObject({ a: 7, 'a small': 7, b: undefined })
  })

  it('says so when the log is the older one', async () => {
    const { app, apart, steps, runtime } = await world()
    await deposit(app, runtime, [1])
    await apart.checkpoints.advance('by-account@1', 1, 1_000)
    await runtime.advance(5_000)
    const told = steps.find((step) => step.step === 'failed')
    expect(String(told?.step === 'failed' && told.error)).toMatch(/seen position 1000, and the log ends at 1/)
    const found = app.operate.doctor()
    await runtime.advance(1_000)
    expect(await found).toContainEqual({
      level: 'error',
      subject: 'projection by-account',
      says: 'totals has seen 999 events that the log does not have: was the log restored from a backup?',
      remedy: 'Run `obverse projections rebuild by-account --fresh`',
    })
  })

  it('canary: without a checkpoint beside the rows what was lost stays lost', async () => {
    const { app, apart, runtime } = await world(false)
    await deposit(app, runtime, [1, 2, 3])
    await apart.schema.reset()
    await runtime.advance(60_000)
    expect(await shown(app)).toMatchObject({ a: undefined, b: undefined })
  })
})
