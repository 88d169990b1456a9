// A queue that its server has only half remembered: killed within a moment of the declaration, it never gets a leader.
import { describe, expect, test } from 'vitest'
import { management, ownServer } from '../../servers.ts'
import { Inbox, message, open, until } from './world.ts'

const own = [await ownServer('rabbitmq'), await ownServer('rabbitmq4')]

describe.each(own)('$name $version', (own) => {
  test.skipIf(own.missing !== undefined)(
    'a queue without a leader is named to whoever consumes it, and takes no message; deleted, it is there again',
    async () => {
      const limits = { confirmTimeout: 1_000, connectTimeout: 1_000 }
      const before = await open(own, limits)
      await before.declare([{ name: 'work' }])
      await own.kill9()
      await own.start()

      const broker = await open(own, limits)
      await broker.declare([{ name: 'work' }])
      const unanswered = { code: 'BROKER_UNREACHABLE', message: expect.stringMatching(/the queue work .*no leader/) }
      await expect(broker.subscribe('work', new Inbox().options)).rejects.toMatchObject(unanswered)
      const kept = message('k', 'kept')
      await expect(broker.publish([kept])).rejects.toMatchObject({
        code: 'BROKER_UNREACHABLE',
        message: expect.stringContaining('has not confirmed 1 of 1 messages within 1000 ms'),
      })

      const deleted = await management(own.management as string, 'DELETE', '/queues/%2F/work')
      expect(deleted.status).toBe(204)
      const outcome = await until('it to be taken', async () => {
        const [found] = await broker.publish([kept]).catch(() => [])
        return found?.kind === 'confirmed' && found
      })
      expect(outcome).toEqual({ messageId: kept.messageId, kind: 'confirmed' })
      const inbox = new Inbox({ ack: true })
      await broker.subscribe('work', inbox.options)
      expect((await inbox.came(1)).map(({ body }) => body)).toEqual(['kept'])
    },
    120_000,
  )
})
