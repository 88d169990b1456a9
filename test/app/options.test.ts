import {
  aggregate,
  command,
  createApp,
  decide,
  event,
  type HandlerContext,
  handle,
  projection,
  refuse,
  unchecked,
  view,
} from 'obverse'
import { memory } from 'obverse/memory'
import { sqlite } from 'obverse/sqlite'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const Act = command('act', unchecked<{ id: string }>())
const Acted = event('acted', unchecked<{ id: string }>(), { key: (e) => e.id })
const rows = view('rows', { row: unchecked<{ id: string }>(), key: 'id' })
const wrong = (value: unknown) => value as never

describe('options that nobody reads are refused by name', () => {
  test.each([
    [
      'createApp',
      () => createApp(wrong({ handlers: [], store: memory(), projection: [] })),
      /"projection".*projections/,
    ],
    ['a missing store', () => createApp(wrong({ handlers: [] })), /needs a store/],
    [
      'a definition as handler',
      () => createApp(wrong({ handlers: [Act], store: memory() })),
      /handlers\[0\].*definition/,
    ],
    ['nothing as handler', () => createApp(wrong({ handlers: [undefined], store: memory() })), /handlers\[0\]/],
    ['handle', () => handle(Act, wrong({ chanel: 'x' }), () => {}), /handler of act.*"chanel".*channel/],
    ['handle without a function', () => handle(Act, wrong({ channel: 'x' })), /no function/],
    ['retry', () => handle(Act, { channel: 'x', retry: wrong({ retry: 3 }) }, () => {}), /retry.*"retry".*retries/],
    ['retry as a number', () => handle(Act, { channel: 'x', retry: wrong(3) }, () => {}), /retry is 3/],
    ['timeout', () => handle(Act, { channel: 'x', timeout: -1 }, () => {}), /timeout.*-1/],
    [
      'channels',
      () => createApp({ handlers: [], store: memory(), channels: { x: wrong({ prefech: 1 }) } }),
      /prefetch/,
    ],
    ['snapshots', () => aggregate('a', () => 0, { snapshots: { every: 0 } }), /snapshots.every.*0/],
    ['feed', () => projection('p', rows, { feed: wrong('lag') }), /feed of projection p.*"lag"/],
    ['view', () => view('v', wrong({ row: z.object({}), key: 'id', indexes: [] })), /"indexes".*index/],
    ['message type', () => command('', unchecked()), /message type ""/],
    ['sqlite', () => sqlite('x.db', wrong({ sync: 'FULL' })), /"sync"/],
  ])('%s', (_, make, says) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(says) }),
    )
  })

  test('roles', async () => {
    const app = createApp({ handlers: [], store: memory() })
    await expect((async () => app.start(wrong({ consumes: true })))()).rejects.toThrow(/"consumes".*consume/)
    await app.stop()
  })
})

describe('what would be lost silently is an error', () => {
  const run = async (body: (data: { id: string }, ctx: HandlerContext) => unknown) => {
    const app = createApp({ handlers: [handle(Act, body)], store: memory() })
    const sent = await app.send(Act({ id: 'a' })).catch((error: unknown) => error)
    const head = await app.operate.log.head()
    await app.stop()
    return { sent, head }
  }

  test('an event that is published after the handler has returned', async () => {
    let late: unknown
    await run((_, ctx) => {
      setImmediate(() => {
        try {
          ctx.publish(Acted({ id: 'a' }))
        } catch (error) {
          late = error
        }
      })
      ctx.publish(Acted({ id: 'a' }))
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(late).toMatchObject({ code: 'TURN_OVER', message: expect.stringContaining('ctx.publish()') })
  })

  test('a refusal that is returned is a refusal', async () => {
    const { sent, head } = await run((_, ctx) => {
      ctx.publish(Acted({ id: 'a' }))
      return refuse('no')
    })
    expect(sent).toMatchObject({ code: 'REFUSED' })
    expect(head).toBe(0)
  })

  test('an event that JSON changes beyond its schema', async () => {
    const Dated = event('dated', z.object({ id: z.string(), at: z.date() }), { key: (e) => e.id })
    const { sent, head } = await run((_, ctx) => ctx.publish(Dated({ id: 'a', at: new Date() })))
    expect(sent).toMatchObject({ code: 'HANDLER_FAILED', message: expect.stringMatching(/dated.*JSON/) })
    expect(head).toBe(0)
  })

  test('a delay for a command that is handled at once', async () => {
    const app = createApp({ handlers: [handle(Act, () => 1)], store: memory() })
    await expect(app.send(Act({ id: 'a' }), { delay: 5 })).rejects.toMatchObject({
      fields: { delay: expect.anything() },
    })
    await app.stop()
  })

  test.each([
    ['nothing', () => undefined],
    ['a promise', async () => []],
  ])('a decision that returns %s', async (_, decision) => {
    const one = aggregate('one', () => 0).on(Acted, (n) => n + 1)
    const app = createApp({
      handlers: [decide(Act, { aggregate: one, id: (c) => c.id }, wrong(decision))],
      store: memory(),
    })
    await expect(app.send(Act({ id: 'a' }))).rejects.toThrow(/decision of act.*synchronous/)
    await app.stop()
  })
})
