import type { Published } from 'obverse'
import { describe, expect, test } from 'vitest'
import { endConnection, Inbox, message, messages, open, servers, until, working } from './world.ts'

describe.each(servers)('a lost connection to $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('ended by an operator', () => {
    test('rejects what was not confirmed as an outage, and loses nothing that was', async () => {
      const { broker, space } = await working(home)
      const confirmed = new Set<string>()
      const rejected: Published[] = []
      const codes = new Set<string>()
      const publishing = (async () => {
        while (rejected.length === 0) {
          const batch = messages(500)
          try {
            for (const { messageId } of await broker.publish(batch)) confirmed.add(messageId)
          } catch (error) {
            codes.add((error as { code: string }).code)
            rejected.push(...batch)
          }
        }
      })()
      // at a moment at which all is confirmed there is nothing to reject
      while (rejected.length === 0) await endConnection(space, 'publishing')
      await publishing
      expect([...codes]).toEqual(['BROKER_UNREACHABLE'])
      const again = await broker.publish(rejected)
      expect(again.every(({ kind }) => kind === 'confirmed')).toBe(true)
      const { messages: there = 0 } = (await broker.stats())[0] ?? {}
      expect(there).toBeGreaterThanOrEqual(confirmed.size + rejected.length)
    })

    test('is told to a subscription, which goes on by itself; a late acknowledgement does nothing', async () => {
      const { broker, space } = await working(home)
      const inbox = new Inbox()
      await broker.subscribe('work', inbox.options)
      await broker.publish([message('k', 'first')])
      const [late] = await inbox.came(1)
      await endConnection(space, 'consuming')
      const [, again] = await inbox.came(2)
      expect([again?.body, again?.redelivered]).toEqual(['first', true])
      expect(inbox.errors).toEqual([expect.objectContaining({ code: 'BROKER_UNREACHABLE' })])
      await late?.ack()
      await until('it to be counted', async () => (await broker.stats())[0]?.unsettled === 1)
      await again?.ack()
      await until('the queue to be empty', async () => (await broker.stats())[0]?.messages === 0)
      await broker.publish([message('k', 'second')])
      expect((await inbox.came(3)).at(-1)?.body).toBe('second')
    })
  })

  test.skipIf(home.missing !== undefined)('a server that is not there keeps nothing from being opened', async () => {
    const nowhere = await open({ url: 'amqp://guest:secret@127.0.0.1:1', management: undefined })
    const outage = expect.objectContaining({
      code: 'BROKER_UNREACHABLE',
      message: expect.not.stringContaining('secret'),
    })
    await expect(nowhere.declare([{ name: 'work' }])).rejects.toEqual(outage)
    await expect(nowhere.publish([message('k', '1')])).rejects.toEqual(outage)
    await expect(nowhere.subscribe('work', new Inbox().options)).rejects.toEqual(outage)
    await expect(nowhere.stats()).rejects.toEqual(outage)
    expect(await nowhere.health?.()).toEqual({ ok: false, detail: expect.stringContaining('127.0.0.1:1') })
    expect(await nowhere.examine?.()).toEqual([expect.objectContaining({ level: 'error' })])
    await nowhere.close()
    await nowhere.close()
    await expect(nowhere.publish([message('k', '1')])).rejects.toMatchObject({ code: 'BROKER_CLOSED' })
    await expect(nowhere.subscribe('work', new Inbox().options)).rejects.toMatchObject({ code: 'BROKER_CLOSED' })
  })

  test.skipIf(home.missing !== undefined)(
    'wrong credentials and virtual hosts are mistakes, and say what to do',
    async () => {
      const wrong = new URL(home.url)
      wrong.password = 'wrong-one'
      const user = await open({ url: wrong.href, management: undefined })
      await expect(user.declare([{ name: 'work' }])).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: expect.stringMatching(/^(?!.*wrong-one).*Mend the user/),
      })
      const elsewhere = new URL(home.url)
      elsewhere.pathname = '/no-such-host'
      const host = await open({ url: elsewhere.href, management: undefined })
      await expect(host.declare([{ name: 'work' }])).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: expect.stringContaining('no-such-host'),
      })
    },
  )
})
