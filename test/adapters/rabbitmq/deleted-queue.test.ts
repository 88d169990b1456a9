import { describe, expect, test } from 'vitest'
import { Inbox, message, messages, open, servers, stranger, until, working } from './world.ts'

describe.each(servers)('a queue that is deleted on $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('behind the back of everybody', () => {
    test('returns what is published, and is declared again before the next try', async () => {
      const { broker, space } = await working(home)
      const channel = await (await stranger(space.url)).createChannel()
      await channel.deleteQueue('work')
      const lost = message('k', '1')
      expect(await broker.publish([lost])).toEqual([
        { messageId: lost.messageId, kind: 'returned', reason: expect.stringContaining('work') },
      ])
      expect(await broker.publish([lost])).toEqual([{ messageId: lost.messageId, kind: 'confirmed' }])
      expect(await broker.peek('work', 10)).toEqual(['1'])
    })

    test('is declared again by its consumer, which goes on', async () => {
      const { broker, space } = await working(home)
      const inbox = new Inbox({ ack: true })
      await broker.subscribe('work', inbox.options)
      const channel = await (await stranger(space.url)).createChannel()
      await channel.deleteQueue('work')
      await until('the consumer to be back', async () => (await broker.stats())[0]?.consumers === 1)
      await broker.publish(messages(3))
      expect((await inbox.came(3)).map(({ body }) => body)).toEqual(['0', '1', '2'])
    })

    test('comes back with its exchange, when that is gone too', async () => {
      const { broker, space } = await working(home)
      const channel = await (await stranger(space.url)).createChannel()
      await channel.deleteExchange('obverse')
      await until('a batch to be confirmed', async () => {
        const outcomes = await broker.publish([message('k', '1')]).catch(() => [])
        return outcomes[0]?.kind === 'confirmed'
      })
    })

    test('counts as empty', async () => {
      const { broker, space } = await working(home)
      await broker.publish(messages(2))
      const channel = await (await stranger(space.url)).createChannel()
      await channel.deleteQueue('work')
      expect(await broker.stats()).toMatchObject([{ channel: 'work', messages: 0, unsettled: 0, consumers: 0 }])
      expect(await broker.purge('work')).toBe(0)
      expect(await broker.peek('work', 5)).toEqual([])
    })
  })

  test.skipIf(home.missing !== undefined)(
    'a message to several channels is known by its place, not by its id',
    async () => {
      const { broker } = await working(home)
      const both = { ...message('k', '1'), messageId: 'same' }
      const outcomes = await broker.publish([{ ...both, channel: 'nowhere' }, both, { ...both, channel: 'nowhere' }])
      expect(outcomes.map(({ kind }) => kind)).toEqual(['returned', 'confirmed', 'returned'])
    },
  )

  test.skipIf(home.missing !== undefined)('a channel that nobody declared here is named', async () => {
    const { space } = await working(home)
    const broker = await open(space)
    const unknown = { code: 'CHANNEL_UNKNOWN', message: expect.stringContaining('other') }
    await expect(broker.subscribe('other', new Inbox().options)).rejects.toMatchObject(unknown)
    await expect(broker.peek('other', 1)).rejects.toMatchObject(unknown)
    await expect(broker.put('other', '{}')).rejects.toMatchObject(unknown)
    await expect(broker.purge('other')).rejects.toMatchObject(unknown)
  })
})
