import { systemRuntime } from 'obverse'
import { describe, expect, test } from 'vitest'
import { accounts, Deposit, Total, ways } from './accounts.ts'
import { stores, until } from './stores.ts'

describe.each(stores)('rebuild while serving on %s', (_, store) => {
  test.each(ways)('a view fed %s answers all the while, and equals the live one after', async (way) => {
    const app = accounts(store())
    await app.start()
    const account = (n: number) => (way === 'gathered' ? 'all' : `a${n % 7}`)
    let sent = 0
    let last = ''
    const deposit = async () => {
      sent += 1
      last = (await app.send(Deposit({ account: `a${sent % 7}`, amount: 1 }))).token
    }
    await Promise.all(Array.from({ length: 200 }, deposit))
    await app.ask(Total({ of: way, account: account(sent) }), { after: last })

    let rebuilding = true
    let reads = 0
    const writeOn = async () => {
      while (rebuilding) {
        await deposit()
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    const readOn = async () => {
      const seen = new Map<string, number>()
      while (rebuilding) {
        for (let n = 0; n < 7; n += 1) {
          const read = await app.ask(Total({ of: way, account: account(n) }))
          // never empty, never back in time, never of two versions
          expect(read?.deposits).toBeGreaterThanOrEqual(seen.get(account(n)) ?? 1)
          expect(read?.total).toBe(read?.deposits)
          seen.set(account(n), read?.deposits ?? 0)
          reads += 1
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const background = [writeOn(), readOn()]
    const report = await app.operate.projections.rebuild(`by-${way}`)
    rebuilding = false
    await Promise.all(background)
    expect(report).toMatchObject({ switched: true, generation: 2 })
    expect(report.events).toBeGreaterThanOrEqual(200)
    expect(reads).toBeGreaterThan(0)

    await app.ask(Total({ of: way, account: account(sent) }), { after: last })
    await app.drain()
    const checked = await app.operate.projections.verify(`by-${way}`)
    expect(checked).toMatchObject({ different: [], missing: [], extra: [] })
    let total = 0
    const accountsRead = new Set(Array.from({ length: 7 }, (_, n) => account(n)))
    for (const one of accountsRead) total += (await app.ask(Total({ of: way, account: one })))?.deposits ?? 0
    expect(total).toBe(sent)
    await app.stop()
  })

  test('a writer that never pauses is not chased for ever', async () => {
    const app = accounts(store())
    await app.start()
    let writing = true
    let sent = 0
    const write = async () => {
      while (writing) {
        await app.send(Deposit({ account: `a${sent % 7}`, amount: 1 }))
        sent += 1
      }
    }
    const writers = [write(), write()]
    expect(await app.operate.projections.rebuild('by-channel')).toMatchObject({ switched: true })
    writing = false
    await Promise.all(writers)
    await until(async () => !('followTo' in ((await app.operate.projections.list())[2]?.generation ?? {})))
    await app.drain()
    const checked = await app.operate.projections.verify('by-channel')
    expect(checked, `${sent} sent`).toMatchObject({ rows: 7, different: [], missing: [], extra: [] })
    await app.stop()
  })

  test('canary: a switch before the new generation has caught up goes back in time', async () => {
    const runtime = { ...systemRuntime, without: new Set(['catch-up-first'] as const) }
    const app = accounts(store(), { runtime })
    await Promise.all(Array.from({ length: 1_500 }, () => app.send(Deposit({ account: 'a', amount: 1 }))))
    await app.drain()
    expect(await app.ask(Total({ of: 'channel', account: 'a' }))).toMatchObject({ deposits: 1_500 })
    await app.operate.projections.rebuild('by-channel')
    const read = await app.ask(Total({ of: 'channel', account: 'a' }))
    expect(read?.deposits ?? 0).toBeLessThan(1_500)
    await app.stop()
  })
})

describe.each(stores)('verify on %s', (_, store) => {
  test('what a projection has not come to yet is no difference', async () => {
    const app = accounts(store())
    for (const account of ['a', 'b']) await app.send(Deposit({ account, amount: 1 }))
    expect(await app.operate.projections.verify('by-log')).toMatchObject({ rows: 0, missing: [] })
    await app.drain()
    expect(await app.operate.projections.verify('by-log')).toMatchObject({ rows: 2, missing: [], different: [] })
    await app.send(Deposit({ account: 'c', amount: 1 }))
    expect(await app.operate.projections.verify('by-log')).toMatchObject({ rows: 2, missing: [] })
    await app.stop()
  })
})
