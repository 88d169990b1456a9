import {
  answer,
  command,
  createApp,
  event,
  handle,
  projection,
  query,
  type Runtime,
  type Store,
  systemRuntime,
  unchecked,
  view,
} from 'obverse'
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

describe.each(stores)('a rebuild that stood still on %s', (_, store) => {
  test('does not bring back its generation when others have taken over and gone on', async () => {
    let frozen = false
    let wake: () => void = () => {}
    let stands: () => void = () => {}
    const standing = new Promise<void>((resolve) => {
      stands = resolve
    })
    // twenty times as fast; what stands still has no timers either
    const fast = (isStill: () => boolean): Runtime => ({
      ...systemRuntime,
      after: (ms, work) => systemRuntime.after(ms / 20, () => isStill() || work()),
    })
    const reach: Runtime['reach'] = (point) => {
      if (point !== 'rebuild.batch' || frozen) return
      frozen = true
      stands()
      return new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const opened = store()
    const app = accounts(opened, { runtime: fast(() => false) })
    const zombie = accounts(opened, { runtime: { ...fast(() => frozen), reach } })
    for (let n = 0; n < 50; n += 1) await app.send(Deposit({ account: `a${n % 7}`, amount: 1 }))
    await app.drain()
    const ending = zombie.operate.projections.rebuild('by-log').catch((error: unknown) => error)
    await standing
    for (const generation of [2, 3, 4]) {
      expect(await app.operate.projections.rebuild('by-log')).toMatchObject({ generation, rows: 7 })
    }
    wake()
    expect(await ending).toMatchObject({ code: 'REBUILD_RUNNING' })
    const served = async () => (await app.operate.projections.list())[1]
    expect(await served()).toMatchObject({ generation: { serving: 4, previous: 3 }, rows: 7 })
    expect(await app.ask(Total({ of: 'log', account: 'a0' }))).toMatchObject({ deposits: 8 })
    await expect(app.operate.projections.switchTo('by-log', 2)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    await zombie.stop()
    await app.stop()
  })
})

const Make = command('make', unchecked<{ from: number }>())
const Made = event('made', unchecked<{ k: string }>(), { key: (e) => e.k })
const made = view('made', { row: unchecked<{ k: string; by: string }>(), key: 'k', index: [{ by: [] }] })
const Found = query('found', unchecked<object>(), unchecked<string[]>())
const base = projection('by-version', made)
const byName = (by: string) => base.on(Made, ({ k }, rows) => rows.put({ k, by }))

function madeApp(store: Store, filled: ReturnType<typeof byName>) {
  return createApp({
    handlers: [
      handle(Make, ({ from }, ctx) => {
        for (let n = from; n < from + 800; n += 1) ctx.publish(Made({ k: `k${n}` }))
      }),
      answer(Found, async (_, ctx) => {
        const found = new Set<string>()
        let cursor: string | undefined
        do {
          const page = await ctx.view(made).find({ limit: 1_000, ...(cursor !== undefined && { cursor }) })
          for (const { by } of page.rows) found.add(by)
          cursor = page.next
        } while (cursor !== undefined)
        return [...found]
      }),
    ],
    projections: [filled],
    store,
  })
}

describe.each(stores)('a rebuild that was cut off on %s', (_, store) => {
  async function cutOff(mistaken: ReturnType<typeof byName>) {
    const opened = store()
    const app = madeApp(opened, mistaken)
    for (const from of [0, 800, 1_600]) await app.send(Make({ from }))
    await app.drain()
    const stop = new AbortController()
    const rebuilding = app.operate.projections.rebuild('by-version', {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('cut off')),
    })
    await expect(rebuilding).rejects.toThrow('cut off')
    expect((await app.operate.projections.list())[0]?.generation).toEqual({ serving: 1, building: 2 })
    return { app, opened }
  }

  test('goes on where it was when the projection is the same', async () => {
    const { app, opened } = await cutOff(byName('same'))
    const again = madeApp(opened, byName('same'))
    expect(await again.operate.projections.rebuild('by-version')).toMatchObject({ generation: 2, events: 1_400 })
    await Promise.all([again.stop(), app.stop()])
  })

  test('begins again when a step has been corrected, and its unfinished generation is not served', async () => {
    const { app, opened } = await cutOff(byName('mistaken'))
    const corrected = madeApp(
      opened,
      base.on(Made, (e, rows) => rows.put({ k: e.k, by: 'corrected' })),
    )
    await expect(corrected.operate.projections.switchTo('by-version', 2)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('other steps'),
    })
    const report = await corrected.operate.projections.rebuild('by-version')
    expect(report).toMatchObject({ generation: 3, events: 2_400, rows: 2_400, switched: true })
    expect(await corrected.ask(Found({}))).toEqual(['corrected'])
    expect((await corrected.operate.projections.list())[0]?.generation).toEqual({ serving: 3, previous: 1 })
    await Promise.all([corrected.stop(), app.stop()])
  })

  test('begins again when told so, for a change that no step shows', async () => {
    const { app, opened } = await cutOff(byName('mistaken'))
    const corrected = madeApp(opened, byName('corrected'))
    const report = await corrected.operate.projections.rebuild('by-version', { fresh: true })
    expect(report).toMatchObject({ generation: 3, events: 2_400 })
    expect(await corrected.ask(Found({}))).toEqual(['corrected'])
    await Promise.all([corrected.stop(), app.stop()])
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
