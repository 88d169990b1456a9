import {
  answer,
  command,
  createApp,
  event,
  handle,
  permanent,
  projection,
  query,
  refuse,
  unchecked,
  view,
} from 'obverse'
import { describe, expect, test } from 'vitest'
import { stores } from '../paths/stores.ts'

const Import = command('import', unchecked<{ id: string; as?: string }>(), { key: (c) => c.id })
const Imported = event('imported', unchecked<{ id: string }>(), { key: (e) => e.id })
const Find = query('find', unchecked<{ id: string }>(), unchecked<{ id: string } | undefined>())
const rows = view('rows', { row: unchecked<{ id: string }>(), key: 'id' })
const fill = projection('fill', rows).on(Imported, (e, r) => r.put({ id: e.id }))

function importing(store: Parameters<typeof createApp>[0]['store']) {
  const importIt = handle(Import, { channel: 'imports', retry: { retries: 1, delay: 1 } }, (c, ctx) => {
    if (c.as === 'refused') throw refuse('The catalogue is closed', { reason: 'closed' })
    if (c.as === 'permanent') throw permanent('No such catalogue')
    if (c.as === 'fault') throw new Error('boom')
    ctx.publish(Imported({ id: c.id }))
    return { imported: c.id }
  })
  const find = answer(Find, (q, ctx) => ctx.view(rows).get(q.id))
  return createApp({ handlers: [importIt, find], projections: [fill], store, limits: { tokenWait: 8_000 } })
}

describe.each(stores)('asynchronous command on %s', (_, store) => {
  test('is accepted at once, pending until it is handled, then done with its result', async () => {
    const app = importing(store())
    const receipt = await app.send(Import({ id: 'a' }))
    expect(await app.operate.status(receipt.messageId)).toMatchObject({ state: 'pending', type: 'import' })
    expect((await app.operate.channels.list())[0]).toMatchObject({ channel: 'imports', messages: 1 })
    await expect(receipt.done({ timeout: 20 })).rejects.toMatchObject({ code: 'RECEIPT_TIMEOUT' })
    await app.start()
    expect(await receipt.done()).toEqual({ imported: 'a' })
    expect(await app.operate.status(receipt.messageId)).toMatchObject({ state: 'done', result: { imported: 'a' } })
    await app.stop()
  })

  test('its token waits for the command and for what it wrote', async () => {
    const app = importing(store())
    await app.start()
    const { token } = await app.send(Import({ id: 'b' }))
    expect(await app.ask(Find({ id: 'b' }), { after: token })).toEqual({ id: 'b' })
    await app.stop()
  })

  test.each([
    ['refused', 'REFUSED', 'The catalogue is closed'],
    ['permanent', 'PERMANENT', 'No such catalogue'],
    ['fault', 'HANDLER_FAILED', 'boom'],
  ])('one that is %s fails with the reason, and can be found', async (as, code, reason) => {
    const app = importing(store())
    await app.start()
    const receipt = await app.send(Import({ id: 'c', as }))
    await expect(receipt.done()).rejects.toMatchObject({ code, message: expect.stringContaining(reason) })
    expect(await app.operate.status(receipt.messageId)).toMatchObject({ state: 'failed' })
    await expect(app.ask(Find({ id: 'c' }), { after: receipt.token })).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining(reason),
    })
    const [dead] = await app.operate.deadLetters.list({ messageId: receipt.messageId })
    expect(dead?.reason).toContain(reason)
    await app.stop()
  })

  test('with a delay it does not start early; cancelled it does not start at all', async () => {
    const app = importing(store())
    await app.start()
    const asked = Date.now()
    const later = await app.send(Import({ id: 'd' }), { delay: 300 })
    const never = await app.send(Import({ id: 'e' }), { delay: 300 })
    expect(await app.operate.cancel(never.messageId)).toBe(true)
    await later.done()
    expect(Date.now() - asked).toBeGreaterThanOrEqual(300)
    await expect(never.done()).rejects.toThrow(/called off/)
    expect(await app.operate.status(never.messageId)).toMatchObject({ state: 'cancelled' })
    expect(await app.operate.cancel(later.messageId)).toBe(false)
    expect((await app.operate.log.read(0, 10)).map(({ key }) => key)).toEqual(['d'])
    await app.stop()
  })

  test.each([{ delay: -1 }, { delay: Number.NaN }, { at: new Date('never') }])(
    '%o is refused by name',
    async (options) => {
      const app = importing(store())
      await expect(app.send(Import({ id: 'f' }), options)).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
        fields: { [Object.keys(options)[0] as string]: expect.anything() },
      })
      await app.stop()
    },
  )

  test('the same idempotency key gets the same receipt', async () => {
    const app = importing(store())
    const first = await app.send(Import({ id: 'g' }), { idempotencyKey: 'k' })
    const again = await app.send(Import({ id: 'g' }), { idempotencyKey: 'k' })
    expect(again).toMatchObject({ messageId: first.messageId, token: first.token, replayed: true })
    await app.start()
    expect(await again.done()).toEqual({ imported: 'g' })
    expect(await app.operate.log.head()).toBe(1)
    await app.stop()
  })

  test('in place, for tests and small tools', async () => {
    const made = importing(store())
    await made.stop()
    const importIt = handle(Import, { channel: 'imports' }, (c) => c.id)
    const app = createApp({ handlers: [importIt], store: store(), inline: true })
    const receipt = await app.send(Import({ id: 'h' }))
    expect(await app.operate.status(receipt.messageId)).toMatchObject({ state: 'done', result: 'h' })
    await app.stop()
  })
})
