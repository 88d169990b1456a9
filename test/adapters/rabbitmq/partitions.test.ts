import { type BrokerDelivery, systemRuntime } from 'obverse'
import { describe, expect, test } from 'vitest'
import { partitionOf } from '../../../src/adapters/rabbitmq/partition.ts'
import { fresh } from '../../servers.ts'
import { Inbox, message, messages, open, servers, stranger, until, working } from './world.ts'

const two = [{ name: 'work', partitions: 2 }]

describe.each(servers)('partitions on $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('of a channel', () => {
    test('keep the order of every key between two processes that share it', async () => {
      const space = await fresh(home)
      const [one, other] = [await open(space), await open(space)]
      await Promise.all([one.declare(two), other.declare(two)])
      const order = new Map<string, number[]>()
      const open_ = new Map<string, number>()
      const twice: string[] = []
      const consume = (me: number) => ({
        prefetch: 20,
        onDeliveries: (deliveries: readonly BrokerDelivery[]) => {
          for (const { body, ack } of deliveries) {
            const [key = '', number] = body.split(':')
            if ((open_.get(key) ?? me) !== me) twice.push(`${key} is with ${open_.get(key)} and with ${me}`)
            open_.set(key, me)
            order.set(key, [...(order.get(key) ?? []), Number(number)])
            systemRuntime.after(Number(number) % 3, () => {
              open_.delete(key)
              void ack()
            })
          }
        },
      })
      await one.subscribe('work', consume(1))
      await other.subscribe('work', consume(2))
      const keys = Array.from({ length: 12 }, (_, n) => `key-${n}`)
      for (let round = 0; round < 40; round += 1) {
        await one.publish(keys.map((key) => message(key, `${key}:${round}`)))
      }
      const rounds = Array.from({ length: 40 }, (_, n) => n)
      await until('all of them', () => [...order.values()].every(({ length }) => length >= 40) && order.size === 12)
      for (const numbers of order.values()) expect(numbers).toEqual(rounds)
      expect(twice).toEqual([])
    })

    test('divide the keys by their checksum, and messages without one in turn', async () => {
      const { broker, space } = await working(home, {}, { partitions: 2 })
      await broker.publish(messages(20))
      const channel = await (await stranger(space.url)).createChannel()
      const count = async (queue: string) => (await channel.checkQueue(queue)).messageCount
      const first = Array.from({ length: 20 }, (_, n) => partitionOf(`k${n}`, 2)).filter((at) => at === 0).length
      expect([await count('work.0'), await count('work.1')]).toEqual([first, 20 - first])
      await broker.publish(messages(20, () => null))
      expect([await count('work.0'), await count('work.1')]).toEqual([first + 10, 30 - first])
      expect((await broker.stats())[0]?.messages).toBe(40)
      expect(await broker.purge('work')).toBe(40)
    })

    test('hand over at most the prefetch of their channel, from all of them together', async () => {
      const { broker } = await working(home, {}, { partitions: 3 })
      await broker.publish(messages(60))
      const inbox = new Inbox({ prefetch: 5 })
      await broker.subscribe('work', inbox.options)
      await inbox.came(5)
      await until('the rest to be taken or counted', async () => (await broker.stats())[0]?.messages === 60)
      expect(inbox.all.length).toBe(5)
      expect((await broker.stats())[0]?.unsettled).toBe(5)
      for (let n = 0; n < 60; n += 1) await (await inbox.came(n + 1))[n]?.ack()
      expect(new Set(inbox.bodies).size).toBe(60)
    })

    test('are shown by peek, each in its order', async () => {
      const { broker } = await working(home, {}, { partitions: 2 })
      await broker.publish(messages(10))
      const shown = await broker.peek('work', 100)
      expect([...shown].sort()).toEqual(Array.from({ length: 10 }, (_, n) => String(n)))
      for (const at of [0, 1]) {
        const own = shown.map(Number).filter((n) => partitionOf(`k${n}`, 2) === at)
        expect(own).toEqual(own.toSorted((a, b) => a - b))
      }
    })
  })

  describe.skipIf(home.missing !== undefined)('in their number', () => {
    const refusal = (text: RegExp) => ({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(text) })

    const declare = async (at: { readonly url: string }, partitions: number) => {
      const broker = await open({ ...at, management: undefined })
      await broker.declare([{ name: 'work', partitions }])
      return broker
    }

    test('are kept by the server: another one is refused while messages are left, and says where', async () => {
      const { broker, space } = await working(home, {}, { partitions: 2 })
      await broker.publish([message('k0', '1')])
      await broker.close()
      const left = new RegExp(`work has 2 partitions.*1 message in work.${partitionOf('k0', 2)}.*partitions: 2`)
      await expect(declare(space, 3)).rejects.toMatchObject(refusal(left))
      await expect(declare(space, 1)).rejects.toMatchObject(refusal(left))
      const again = await declare(space, 2)
      expect(await again.peek('work', 10)).toEqual(['1'])
    })

    test('are refused to whoever disagrees with a running consumer, drained or not', async () => {
      const { broker, space } = await working(home)
      await broker.subscribe('work', new Inbox().options)
      await expect(declare(space, 2)).rejects.toMatchObject(
        refusal(/work has 1 partition .*1 consumer of work.*partitions: 1/),
      )
      await broker.publish([message('k', '1')])
      expect((await broker.stats())[0]?.messages).toBe(1)
    })

    test('change once the channel is drained; what an older process still publishes comes back, and is nowhere', async () => {
      const { broker: older, space } = await working(home)
      const newer = await declare(space, 3)
      const stale = message('k', 'stale')
      const returned = { messageId: stale.messageId, kind: 'returned', reason: expect.any(String) }
      expect(await older.publish([stale])).toEqual([returned])
      const reason = expect.stringContaining(
        'work has 3 partitions on the server, and 1 here (another process has changed it)',
      )
      expect(await older.publish([stale])).toEqual([{ ...returned, reason }])
      await newer.publish(messages(30))
      expect(await newer.peek('work', 100)).toHaveLength(30)
      expect((await newer.stats())[0]?.messages).toBe(30)
    })

    test('change back, and every queue that is not used is named by an examination', async () => {
      const { broker, space } = await working(home, {}, { partitions: 3 })
      await broker.close()
      const one = await declare(space, 1)
      await one.publish([message('k', '1')])
      const channel = await (await stranger(space.url)).createChannel()
      channel.sendToQueue('work.2', Buffer.from('left'))
      const subjects = async () => (await one.examine?.())?.map(({ level, subject }) => `${level} ${subject}`) ?? []
      await until('the leftovers to be seen', async () => (await subjects()).includes('error queue work.2'))
      expect(await subjects()).toEqual(expect.arrayContaining(['warning queue work.0', 'warning queue work.1']))
      await one.close()
      const three = await declare(space, 3).catch((error: unknown) => error)
      expect(three).toMatchObject(refusal(/1 message in work/))
    })
  })
})
