import type { GivenUp } from 'obverse'
import { describe, expect, test } from 'vitest'
import { Inbox, message, open, servers, stranger, until, working } from './world.ts'

describe.each(servers)('what $name $version gives up', (home) => {
  describe.skipIf(home.missing !== undefined)('after too many deliveries', () => {
    test('is given to whoever asks, with its channel and the reason, and is gone once that one has kept it', async () => {
      const { broker, space } = await working(home, { deliveryLimit: 2 }, { partitions: 2 })
      await broker.publish([message('k', 'poison'), message('k', 'neighbour')])
      const connection = await stranger(space.url)
      const given: GivenUp[] = []
      let tries = 0
      await broker.givenUp?.(async (one) => {
        tries += 1
        if (tries === 1) throw new Error('the store is away')
        given.push(one)
      })
      // a consumer that ends with its process, again and again
      await until('both to be given up', async () => {
        const inbox = new Inbox()
        const dying = await open({ ...space, management: undefined }, { deliveryLimit: 2 })
        await dying.declare([{ name: 'work', partitions: 2 }])
        await dying.subscribe('work', inbox.options)
        await until('deliveries or the end', () => inbox.all.length > 0 || given.length >= 2)
        await dying.close()
        return given.length >= 2
      })
      expect(given).toEqual([
        { channel: 'work', body: 'poison', reason: 'delivery_limit' },
        { channel: 'work', body: 'neighbour', reason: 'delivery_limit' },
      ])
      expect(tries).toBe(3)
      const channel = await connection.createChannel()
      await until('it to be settled', async () => (await channel.checkQueue('failed_messages')).messageCount === 0)
    })

    test('never happens without a limit: the attempts of the store decide', async () => {
      const { broker } = await working(home)
      await broker.publish([message('k', 'poison')])
      for (let round = 0; round < 25; round += 1) {
        const inbox = new Inbox()
        const subscription = await broker.subscribe('work', inbox.options)
        const [delivery] = await inbox.came(1)
        expect([delivery?.body, delivery?.redelivered]).toEqual(['poison', round > 0])
        await subscription.close()
      }
    })
  })

  test.skipIf(home.missing !== undefined)('waits while nobody asks, and while it is paused', async () => {
    const { broker, space } = await working(home)
    const channel = await (await stranger(space.url)).createChannel()
    channel.sendToQueue('failed_messages', Buffer.from('{}'), {
      headers: { 'x-first-death-queue': 'work', 'x-first-death-reason': 'rejected' },
    })
    const given: GivenUp[] = []
    const drain = await broker.givenUp?.(async (one) => void given.push(one))
    await until('it', () => given.length === 1)
    expect(given).toEqual([{ channel: 'work', body: '{}', reason: 'rejected' }])
    drain?.pause()
    channel.sendToQueue('failed_messages', Buffer.from('[]'))
    await until('it to be taken', async () => (await channel.checkQueue('failed_messages')).messageCount === 0)
    expect(given).toHaveLength(1)
    drain?.resume()
    await until('the second', () => given.length === 2)
    await drain?.close()
    await drain?.close()
    channel.sendToQueue('failed_messages', Buffer.from('{}'))
    await until('it to wait', async () => (await channel.checkQueue('failed_messages')).messageCount === 1)
    expect(given).toHaveLength(2)
  })
})
