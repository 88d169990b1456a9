import { bodyOfBytes } from 'obverse'
import { describe, expect, test } from 'vitest'
import { Inbox, message, messages, open, servers, stranger, until, working } from './world.ts'

/** Bytes that are not UTF-8. */
const NOISE = Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xed, 0xa0, 0x80])

const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n))

describe.each(servers)('a look into a queue on $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('of a channel', () => {
    test.each(['quorum', 'classic'] as const)(
      'changes no order, however often and however little is looked at (%s)',
      async (queues) => {
        const { broker } = await working(home, { queues })
        await broker.publish(messages(30, () => 'k'))
        for (const limit of [100, 2, 5, 30, 1])
          expect(await broker.peek('work', limit)).toEqual(numbers(Math.min(limit, 30)))
        const inbox = new Inbox()
        await broker.subscribe('work', inbox.options)
        expect((await inbox.came(30)).map(({ body }) => body)).toEqual(numbers(30))
      },
    )

    test('and a consumer that comes at the same moment do not disturb each other: one of them waits or is refused', async () => {
      const { broker, space } = await working(home)
      await broker.publish(messages(90, () => 'k'))
      const other = await open(space)
      await other.declare([{ name: 'work' }])
      for (let round = 0; round < 5; round += 1) {
        const inbox = new Inbox()
        const [looked, subscribed] = await Promise.allSettled([
          broker.peek('work', 50),
          other.subscribe('work', inbox.options),
        ])
        // nothing waits when the consumer has all of it
        if (looked.status === 'fulfilled') expect([numbers(50), []]).toContainEqual(looked.value)
        else expect(looked.reason).toMatchObject({ code: 'QUEUE_IN_USE' })
        expect((await inbox.came(90)).map(({ body }) => body)).toEqual(numbers(90))
        if (subscribed.status === 'fulfilled') await subscribed.value.close()
      }
    })

    test('is refused while a consumer has an ordered queue, which says what to do; an unordered one shows what it has', async () => {
      const { broker, space } = await working(home)
      await broker.declare([{ name: 'loose', ordered: false }])
      await broker.subscribe('work', new Inbox({ prefetch: 5 }).options)
      await broker.subscribe('loose', new Inbox({ prefetch: 5 }).options)
      await broker.publish([...messages(120, () => 'k'), ...messages(20).map((one) => ({ ...one, channel: 'loose' }))])
      await until('some to be taken', async () => (await broker.stats()).every(({ unsettled }) => unsettled === 5))
      await expect(broker.peek('work', 10)).rejects.toMatchObject({
        code: 'QUEUE_IN_USE',
        message: expect.stringMatching(/20 waiting messages.*Stop its consumers/),
      })
      expect(await broker.peek('loose', 100)).toHaveLength(15)
      const other = await open(space)
      await other.declare([{ name: 'work' }])
      await expect(other.peek('work', 10)).rejects.toMatchObject({ code: 'QUEUE_IN_USE' })
    })

    test('costs no message a delivery against a limit: it is refused', async () => {
      const { broker } = await working(home, { deliveryLimit: 3 })
      await broker.publish([message('k', '1')])
      await expect(broker.peek('work', 1)).rejects.toMatchObject({
        code: 'QUEUE_IN_USE',
        message: expect.stringContaining('limit'),
      })
    })

    test('shows what strangers have put there, and nothing where nothing is', async () => {
      const { broker, space } = await working(home)
      expect(await broker.peek('work', 10)).toEqual([])
      const channel = await (await stranger(space.url)).createConfirmChannel()
      channel.sendToQueue('work', Buffer.from('not json'))
      channel.sendToQueue('work', NOISE)
      await channel.waitForConfirms()
      expect(await broker.peek('work', 0)).toEqual([])
      expect(await broker.peek('work', 10)).toEqual(['not json', bodyOfBytes(NOISE)])
      // what was taken from a queue goes back to it to the byte
      await broker.publish([message(null, bodyOfBytes(NOISE))])
      const came: Buffer[] = []
      await channel.consume('work', (one) => void (one && came.push(one.content)))
      await until('all', () => came.length === 3)
      expect(came.slice(1)).toEqual([NOISE, NOISE])
    })
  })
})
