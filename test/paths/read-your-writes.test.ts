import { answer, command, createApp, event, handle, projection, query, systemRuntime, unchecked, view } from 'obverse'
import { describe, expect, test } from 'vitest'
import { accounts, Deposit, Total, ways } from './accounts.ts'
import { stores } from './stores.ts'

describe.each(stores)('read your writes on %s', (name, store) => {
  test('a query with the token shows the write, whatever feeds the view', async () => {
    const app = accounts(store())
    await app.start()
    let total = 0
    for (let n = 1; n <= 40; n += 1) {
      total += n
      const { token } = await app.send(Deposit({ account: 'a', amount: n }))
      for (const of of ways) {
        const account = of === 'gathered' ? 'all' : 'a'
        const read = await app.ask(Total({ of, account }), { after: token })
        expect(read, `${of} after ${n}`).toEqual({ account, total, deposits: n })
      }
    }
    await app.stop()
  })

  test('canary: without the wait it is stale', async () => {
    const app = accounts(store(), { runtime: { ...systemRuntime, without: new Set(['wait-for-token']) } })
    // nothing runs that would bring the event: only a wait could notice
    const { token } = await app.send(Deposit({ account: 'a', amount: 1 }))
    expect(await app.ask(Total({ of: 'log', account: 'a' }), { after: token })).toBeUndefined()
    await app.stop()
  })

  test('what cannot be shown in time is said so, never silently stale', async () => {
    const app = accounts(store())
    const { token } = await app.send(Deposit({ account: 'a', amount: 1 }))
    await expect(app.ask(Total({ of: 'log', account: 'a' }), { after: token, timeout: 30 })).rejects.toMatchObject({
      code: 'CONSISTENCY_TIMEOUT',
      status: 503,
      message: expect.stringMatching(/log.*"a".*seq 1/),
    })
    // inline is there with the commit, consumers or not
    expect(await app.ask(Total({ of: 'inline', account: 'a' }), { after: token })).toMatchObject({ total: 1 })
    await app.stop()
  })

  test('a parked key is said so, and delays no other reader', async () => {
    const app = accounts(store(), { poison: (amount) => amount === 13 })
    await app.start()
    const unlucky = await app.send(Deposit({ account: 'u', amount: 13 }))
    const lucky = await app.send(Deposit({ account: 'l', amount: 7 }))
    await expect(
      app.ask(Total({ of: 'channel', account: 'u' }), { after: unlucky.token, timeout: 4_000 }),
    ).rejects.toMatchObject({ code: 'KEY_PARKED' })
    expect(await app.ask(Total({ of: 'channel', account: 'l' }), { after: lucky.token })).toMatchObject({ total: 7 })
    expect(await app.ask(Total({ of: 'log', account: 'u' }), { after: unlucky.token })).toMatchObject({ total: 13 })
    await app.stop()
    expect(name).toBeTruthy()
  })

  test('a write of many keys has a token that fits into a header', async () => {
    const Spread = command('spread', unchecked<{ over: number }>())
    const Hit = event('hit', unchecked<{ key: string }>(), { key: (e) => e.key })
    const Count = query('count', unchecked<object>(), unchecked<number>())
    const hits = view('hits', { row: unchecked<{ key: string }>(), key: 'key', index: [{}] })
    const app = createApp({
      handlers: [
        handle(Spread, (c, ctx) => {
          for (let n = 0; n < c.over; n += 1) ctx.publish(Hit({ key: `key-${n}` }))
        }),
        answer(Count, async (_, ctx) => (await ctx.view(hits).find({ limit: 1_000 })).rows.length),
      ],
      projections: [projection('hits', hits).on(Hit, (e, rows) => rows.put(e))],
      store: store(),
    })
    await app.start()
    const { token } = await app.send(Spread({ over: 900 }))
    expect(token.length).toBeLessThan(4_096)
    expect(await app.ask(Count({}), { after: token })).toBe(900)
    await app.stop()
  })

  test('a token of another making is refused', async () => {
    const app = accounts(store())
    await expect(app.ask(Total({ of: 'log', account: 'a' }), { after: 'nonsense!' })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      status: 400,
    })
    await app.stop()
  })
})
