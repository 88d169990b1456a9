import { describe, expect, test } from 'vitest'
import { accounts, Deposit, Total } from './accounts.ts'
import { stores, until } from './stores.ts'

describe.each(stores)('a poison event on %s', (_, store) => {
  async function poisoned() {
    let healed = false
    const app = accounts(store(), { poison: (amount) => amount === 13 && !healed })
    await app.start()
    for (const amount of [1, 13, 2, 3]) await app.send(Deposit({ account: 'p', amount }))
    for (const amount of [10, 20]) await app.send(Deposit({ account: 'q', amount }))
    const total = async (account: string) => (await app.ask(Total({ of: 'channel', account })))?.total
    await until(async () => (await app.operate.deadLetters.list()).length === 1)
    await until(async () => (await total('q')) === 30)
    await until(async () => (await app.operate.deadLetters.list())[0]?.behind === 2)
    return { app, total, heal: () => (healed = true) }
  }

  test('parks its key with what is behind it; all other keys go on', async () => {
    const { app, total } = await poisoned()
    expect(await total('p')).toBe(1)
    const [dead] = await app.operate.deadLetters.list()
    expect(dead).toMatchObject({
      handler: 'by-channel',
      key: 'p',
      type: 'deposited',
      state: 'dead',
      attempts: 2,
      reason: 'channel cannot take 13',
      behind: 2,
    })
    expect(JSON.parse(dead?.body as string)).toMatchObject({ data: { account: 'p', amount: 13 }, seq: 2 })
    const later = await app.send(Deposit({ account: 'p', amount: 4 }))
    await expect(
      app.ask(Total({ of: 'channel', account: 'p' }), { after: later.token, timeout: 2_000 }),
    ).rejects.toMatchObject({ code: 'KEY_PARKED' })
    await app.stop()
  })

  test('retried when it can be handled, everything behind it follows in order', async () => {
    const { app, total, heal } = await poisoned()
    heal()
    const [dead] = await app.operate.deadLetters.list()
    expect(await app.operate.deadLetters.retry(dead?.id as number)).toBe(true)
    await until(async () => (await total('p')) === 19)
    expect(await app.operate.deadLetters.list()).toEqual([])
    expect((await app.operate.projections.verify('by-channel')).different).toEqual([])
    await app.stop()
  })

  test('edited, it goes with its new body under the same id', async () => {
    const { app, total } = await poisoned()
    const [dead] = await app.operate.deadLetters.list()
    const body = `${dead?.body}`.replace('"amount":13', '"amount":14')
    expect(await app.operate.deadLetters.edit(dead?.id as number, body)).toBe(true)
    await until(async () => (await total('p')) === 20)
    await app.stop()
  })

  test('skipped, it is given up on record, and what is behind it goes on', async () => {
    const { app, total } = await poisoned()
    const [dead] = await app.operate.deadLetters.list()
    expect(await app.operate.deadLetters.skip(dead?.id as number, 'known fault')).toBe(true)
    await until(async () => (await total('p')) === 6)
    expect(await app.operate.deadLetters.list({ state: 'skipped' })).toMatchObject([{ note: 'known fault' }])
    await app.stop()
  })
})
