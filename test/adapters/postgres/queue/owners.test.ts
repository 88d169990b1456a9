// Who has taken rows lives by the clock of the database, and nothing of a zombie counts.
import { type BrokerDelivery, type Delivery, type HeldRow, type OpenStore, readEnvelope, systemRuntime } from 'obverse'
import { afterEach, describe, expect, test } from 'vitest'
import { killAll, type RunningProcess, start, until } from '../../../processes.ts'
import { fresh } from '../../../servers.ts'
import { newSchema } from '../database.ts'
import { arrival, ENTRY, openStore, order, type StoreOptions, unit } from './store.ts'

const server = await fresh('postgres')
const PROCESS = 'test/adapters/postgres/queue/owning-process.ts'
const failure = { attempts: 1, code: 'E', reason: 'why', detail: '' }

/** Stops it; what is returned lets it go on, after a while that it will notice. */
function stop(other: RunningProcess): () => Promise<void> {
  other.signal('SIGSTOP')
  const end = systemRuntime.elapsed() + 1_600
  return async () => {
    await until('a while', () => systemRuntime.elapsed() > end)
    other.signal('SIGCONT')
  }
}

describe.skipIf(server.missing)('owners', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    await killAll()
    for (const end of ends.splice(0).reverse()) await end()
  })
  const open = async (url: string, options: StoreOptions = {}): Promise<OpenStore> => {
    const store = await openStore(url, options)
    ends.push(() => store.close())
    return store
  }

  test('a stopped process loses what it had, and settles nothing when it goes on', async () => {
    const url = await newSchema(server.url)
    const store = await open(url)
    await store.transactions.commit(ENTRY, unit([], [order('a')]))
    await store.held.hold(arrival('k'), { ...failure, retryAt: systemRuntime.now() - 1 })
    const other = start(PROCESS, [url, 'queue'])
    await other.printed(/took 1 and 1/)
    const taken: BrokerDelivery[] = []
    await store.broker.subscribe('work', { prefetch: 10, onDeliveries: (all) => void taken.push(...all) })
    expect(await store.held.claim('o', ['h'], 10)).toEqual([])
    const goOn = stop(other)
    let held: readonly HeldRow[] = []
    await until('the held message', async () => {
      held = await store.held.claim('o', ['h'], 10)
      return held.length === 1
    })
    await until('the message of the queue', () => taken.length === 1)
    expect([taken[0]?.redelivered, held[0]?.redelivered]).toEqual([true, true])
    // whatever it does now, it does before its successor has ended anything
    await goOn()
    await other.printed(/queue lost, held lost/)
    const body = taken[0]?.body ?? ''
    const envelope = readEnvelope(body)
    const delivery: Delivery = { envelope, body, channel: 'work', handler: 'q', ordered: true, attempts: 0 }
    const settlement = taken[0]?.settlement ?? { queueId: 0, owner: '' }
    const own = { ...ENTRY, delivery: { ...delivery, settlement } }
    expect((await store.transactions.commit(own, unit())).kind).toBe('committed')
    const head = { ...arrival('k', { id: held[0]?.messageId ?? '' }), heldId: held[0]?.heldId ?? 0 }
    expect((await store.transactions.commit({ ...ENTRY, delivery: head }, unit())).kind).toBe('committed')
    expect(await store.held.counts()).toEqual([])
    await until('the queue to be empty', async () =>
      (await store.broker.stats()).every(({ messages }) => messages === 0),
    )
  })

  test('a stopped relay is followed by another, and ends no row when it goes on', async () => {
    const url = await newSchema(server.url)
    const store = await open(url, { relayed: true })
    await store.transactions.commit(ENTRY, unit([], [order('a'), order('b')]))
    const other = start(PROCESS, [url, 'outbox'])
    await other.printed(/took 2/)
    expect(await store.outbox.claim('next', 10)).toEqual([])
    const goOn = stop(other)
    let ids: number[] = []
    await until('the rows', async () => {
      ids.push(...(await store.outbox.claim('next', 10)).map(({ id }) => id))
      return ids.length === 2
    })
    await goOn()
    await other.printed(/ended, claimed again: 0/)
    expect((await store.outbox.waiting()).count, 'nothing of them was ended').toBe(2)
    await store.outbox.done('next', ids)
    ids = (await store.outbox.claim('next', 10)).map(({ id }) => id)
    expect([ids, (await store.outbox.waiting()).count]).toEqual([[], 0])
  })

  test('hosts whose clocks differ by a day leave each other what they have', async () => {
    const url = await newSchema(server.url)
    const skewed = (ms: number) => ({ ...systemRuntime, now: () => systemRuntime.now() + ms })
    const [early, late] = [
      await open(url, { runtime: skewed(-86_400_000), lease: 300 }),
      await open(url, { runtime: skewed(86_400_000), lease: 300 }),
    ]
    const [first, second]: [BrokerDelivery[], BrokerDelivery[]] = [[], []]
    await early.transactions.commit(ENTRY, unit([], [order('a')]))
    await early.broker.subscribe('work', { prefetch: 5, onDeliveries: (all) => void first.push(...all) })
    await until('the message', () => first.length === 1)
    await late.broker.subscribe('work', { prefetch: 5, onDeliveries: (all) => void second.push(...all) })
    const beats = systemRuntime.elapsed() + 900
    await until('three leases', () => systemRuntime.elapsed() > beats)
    expect(second).toEqual([])
    await first[0]?.ack()
    await early.transactions.commit(ENTRY, unit([], [order('b')]))
    await until('the next message', () => first.length + second.length === 2)
  })
})
