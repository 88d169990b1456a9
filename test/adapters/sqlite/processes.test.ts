import { DatabaseSync } from 'node:sqlite'
import { type BrokerDelivery, type Runtime, systemRuntime } from 'obverse'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { killAll, start, temporaryFolder, until } from '../../processes.ts'
import { arrival, fact, openStore, order, unit } from './store.ts'

const folder = temporaryFolder('processes')
afterEach(killAll)
afterAll(folder.remove)
const ENTRY = { name: 'test' }

describe('several processes on one file', () => {
  it('write at once: nobody sees the lock, nobody starves, positions and seqs have no gap', async () => {
    const file = `${folder.path}/writers.db`
    const store = await openStore(file, { lockTimeout: 20_000 })
    // enough that one who is ready early still writes when all do
    const others = ['a', 'b'].map((name) => start('test/adapters/sqlite/writing-process.ts', [file, '800', name]))
    await Promise.all(others.map((other) => other.printed(/ready/)))
    const own = async (n: number) => {
      for (let i = 0; i < 50; i += 1) await store.transactions.commit(ENTRY, unit([fact('shared', i), fact(`own${n}`)]))
    }
    await Promise.all([own(1), own(2), own(3)])
    for (const other of others) expect(await other.ended(), other.output).toEqual({ code: 0, signal: null })
    const { events } = await store.log.after(0, 10_000)
    expect(events.map(({ position }) => position)).toEqual(Array.from({ length: 3_500 }, (_, n) => n + 1))
    expect((await store.events.load('shared')).version).toBe(1_750)
    const owners = events.map(({ key }) => key).filter((key) => key !== 'shared')
    expect(owners.indexOf('own1')).toBeLessThan(owners.lastIndexOf('a'))
    await store.close()
  })

  it('are woken by what another one commits, without waiting for a poll', async () => {
    const file = `${folder.path}/wake.db`
    const store = await openStore(file, { poll: 60_000 })
    let woken = 0
    store.onCommit(() => {
      woken += 1
    })
    const other = start('test/adapters/sqlite/writing-process.ts', [file, '3'])
    await other.printed(/done/)
    await until('a wake by the file', () => woken > 0, 5_000)
    await store.close()
  })

  it('take over at once what a killed process had', async () => {
    const file = `${folder.path}/killed.db`
    const store = await openStore(file)
    await store.transactions.commit(ENTRY, unit([], { messages: [order('a'), order('a'), order('b')] }))
    const other = start('test/adapters/sqlite/taking-process.ts', [file])
    await other.printed(/took 3/)
    expect(await store.broker.stats()).toMatchObject([{ channel: 'work', messages: 3, unsettled: 3, consumers: 1 }])
    await other.kill()
    const taken: BrokerDelivery[] = []
    await store.broker.subscribe('work', { prefetch: 10, onDeliveries: (all) => void taken.push(...all) })
    await until('the rows', () => taken.length === 3, 4_000) // less than the lease
    expect(taken.every(({ redelivered }) => redelivered)).toBe(true)
    expect(await store.broker.stats()).toMatchObject([{ consumers: 1 }])
    await store.close()
  })
})

/** A runtime whose timers can be stopped, as by SIGSTOP, and go on. */
function freezable() {
  let frozen = false
  const late: (() => void)[] = []
  const runtime: Runtime = {
    ...systemRuntime,
    after: (ms, work) => systemRuntime.after(ms, () => (frozen ? void late.push(work) : work())),
  }
  const freeze = () => {
    frozen = true
  }
  const thaw = () => {
    frozen = false
    for (const work of late.splice(0)) work()
  }
  return { runtime, freeze, thaw }
}

describe('a silent owner', () => {
  it('loses what it has after a lease, and its late settlement is refused', async () => {
    const file = `${folder.path}/silent.db`
    const { runtime, freeze, thaw } = freezable()
    const silent = await openStore(file, { runtime })
    const live = await openStore(file, { lease: 300 })
    await live.transactions.commit(ENTRY, unit([], { messages: [order('a')] }))
    const [first, second]: BrokerDelivery[][] = [[], []]
    await silent.broker.subscribe('work', { prefetch: 1, onDeliveries: (all) => void first?.push(...all) })
    await until('the first delivery', () => first?.length === 1)
    freeze()
    await live.broker.subscribe('work', { prefetch: 1, onDeliveries: (all) => void second?.push(...all) })
    await until('the second delivery', () => second?.length === 1)
    const settle = (store: typeof live, delivery: BrokerDelivery | undefined) =>
      store.transactions.commit(
        { ...ENTRY, delivery: arrival('a', { settlement: delivery?.settlement ?? { queueId: 0, owner: '' } }) },
        unit(),
      )
    thaw()
    expect(await settle(silent, first?.[0])).toEqual({ kind: 'lost' })
    expect(await settle(live, second?.[0])).toMatchObject({ kind: 'committed' })
    await live.close()
    await silent.close()
  })

  it('goes on under another name: what it takes can be freed again', async () => {
    const file = `${folder.path}/renamed.db`
    const { runtime, freeze, thaw } = freezable()
    const silent = await openStore(file, { runtime })
    const live = await openStore(file, { lease: 300 })
    const taken: BrokerDelivery[] = []
    await silent.broker.subscribe('work', { prefetch: 1, onDeliveries: (all) => void taken.push(...all) })
    freeze()
    const other = await live.broker.subscribe('other', { prefetch: 1, onDeliveries: () => {} })
    const rows = new DatabaseSync(file)
    const count = (sql: string) => rows.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.n
    await until('the silent one is found dead', () => count("obverse_owner WHERE channel = 'work'") === 0)
    await live.transactions.commit(ENTRY, unit([], { messages: [order('a')] }))
    thaw()
    await until('its next delivery', () => taken.length === 1)
    expect(count('obverse_claim')).toBe(1)
    expect(count('obverse_claim WHERE owner NOT IN (SELECT id FROM obverse_owner)')).toBe(0)
    rows.close()
    await other.close()
    await silent.close()
    await live.close()
  })

  it('keeps what it claims again after it was found dead, and not what it had before', async () => {
    const file = `${folder.path}/again.db`
    const { runtime, freeze, thaw } = freezable()
    const silent = await openStore(file, { runtime, lease: 300 })
    const live = await openStore(file, { lease: 300 })
    const failure = { attempts: 1, code: 'E', reason: 'r', detail: '', retryAt: 0 }
    const [kept, lost] = [arrival('a'), arrival('b')]
    await live.held.hold(kept, failure)
    await live.held.hold(lost, failure)
    const before = await silent.held.claim('silent', ['h'], 10)
    expect(before).toHaveLength(2)
    freeze()
    await live.broker.subscribe('work', { prefetch: 1, onDeliveries: () => {} })
    let taken: Awaited<ReturnType<typeof live.held.claim>> = []
    await until('the lease to end', async () => {
      taken = taken.length > 0 ? taken : await live.held.claim('live', ['h'], 10)
      return taken.length === 2
    })
    const idOf = (delivery: typeof kept) => taken.find((row) => row.messageId === delivery.envelope.id)?.heldId ?? 0
    await live.held.release('live', [idOf(kept)])
    // the beat that tells it and a claim that adds it again, in one commit
    thaw()
    const again = await silent.held.claim('silent', ['h'], 10)
    expect(again.map(({ heldId }) => heldId)).toEqual([idOf(kept)])
    await new Promise((resolve) => setTimeout(resolve, 200)) // a few beats
    const handle = (delivery: typeof kept) =>
      silent.transactions.commit({ ...ENTRY, delivery: { ...delivery, heldId: idOf(delivery) } }, unit())
    expect(await handle(lost)).toEqual({ kind: 'lost' })
    expect(await handle(kept)).toMatchObject({ kind: 'committed' })
    await live.close()
    await silent.close()
  })

  it('leaves nothing behind that is with an owner whom nobody knows', async () => {
    const file = `${folder.path}/strangers.db`
    const store = await openStore(file)
    await store.transactions.commit(ENTRY, unit([], { messages: [order('a')] }))
    await store.held.hold(arrival('b'), { attempts: 1, code: 'E', reason: 'r', detail: '', retryAt: 0 })
    const rows = new DatabaseSync(file)
    rows.exec(`INSERT INTO obverse_claim (id, channel, owner, key) SELECT id, channel, 'stranger', key FROM obverse_queue;
      UPDATE obverse_held SET owner = 'stranger'`)
    rows.close()
    const taken: BrokerDelivery[] = []
    await store.broker.subscribe('work', { prefetch: 1, onDeliveries: (all) => void taken.push(...all) })
    await until('the delivery', () => taken.length === 1)
    expect(await store.held.claim('o', ['h'], 10)).toMatchObject([{ redelivered: true }])
    await store.close()
  })

  it('is not taken for dead when the wall clock jumps', async () => {
    const file = `${folder.path}/jump.db`
    let jump = 0
    const jumping: Runtime = { ...systemRuntime, now: () => systemRuntime.now() + jump }
    const [one, two] = [
      await openStore(file, { lease: 2_000 }),
      await openStore(file, { runtime: jumping, lease: 2_000 }),
    ]
    await one.transactions.commit(ENTRY, unit([], { messages: [order('a')] }))
    const taken: number[] = []
    await one.broker.subscribe('work', { prefetch: 1, onDeliveries: () => void taken.push(1) })
    await until('the delivery', () => taken.length === 1)
    jump = 3_600_000
    await two.broker.subscribe('work', { prefetch: 1, onDeliveries: () => void taken.push(2) })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(taken).toEqual([1])
    await two.close()
    await one.close()
  })
})

describe('the lock', () => {
  it('is waited for without stopping the event loop, and not for ever', async () => {
    const file = `${folder.path}/locked.db`
    const store = await openStore(file, { lockTimeout: 300 })
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    let turns = 0
    const turning = setInterval(() => {
      turns += 1
    }, 5)
    await expect(store.transactions.commit(ENTRY, unit([fact('k')]))).rejects.toMatchObject({
      code: 'STORE_BUSY',
      message: expect.stringContaining(file),
    })
    clearInterval(turning)
    expect(turns).toBeGreaterThan(10)
    expect(await store.log.head()).toBe(0) // reading needs no lock

    const waiting = store.transactions.commit(ENTRY, unit([fact('k')]))
    setTimeout(() => other.exec('COMMIT'), 50)
    expect(await waiting).toMatchObject({ kind: 'committed' })
    other.close()
    await store.close()
  })
})
