import type { ChannelDeclaration } from 'obverse'
import type { RabbitOptions } from 'obverse/rabbitmq'
import { describe, expect, test } from 'vitest'
import { fresh } from '../../servers.ts'
import { message, open, servers, stranger } from './world.ts'

interface Case {
  readonly there: [RabbitOptions, Partial<ChannelDeclaration>]
  readonly wanted: [RabbitOptions, Partial<ChannelDeclaration>]
  readonly says: RegExp
}

const cases: Record<string, Case> = {
  'type of queue': {
    there: [{ queues: 'classic' }, {}],
    wanted: [{}, {}],
    says: /the queue failed_messages has x-queue-type classic where quorum is wanted.*option `queues`/,
  },
  'order by key': {
    there: [{}, { ordered: false }],
    wanted: [{}, {}],
    says: /the queue work has no x-single-active-consumer where true is wanted.*`ordered`/,
  },
  'delivery limit': {
    there: [{ deliveryLimit: 5 }, {}],
    wanted: [{ deliveryLimit: 9 }, {}],
    says: /the queue work has x-delivery-limit 5 where 9 is wanted.*`deliveryLimit`/,
  },
  'queue of failed messages': {
    there: [{ failed: 'dead' }, {}],
    wanted: [{}, {}],
    says: /the queue work has x-dead-letter-routing-key dead where failed_messages is wanted.*`failed`/,
  },
}

describe.each(servers)('a difference on $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('to what exists', () => {
    test.each(Object.entries(cases))(
      'in the %s is an error that names it and what to do',
      async (_, { there, wanted, says }) => {
        const space = await fresh(home)
        const [before, channel] = there
        await (await open(space, before)).declare([{ name: 'work', ...channel }])
        const broker = await open(space, wanted[0])
        await expect(broker.declare([{ name: 'work', ...wanted[1] }])).rejects.toMatchObject({
          code: 'CONFIGURATION_INVALID',
          message: expect.stringMatching(says),
        })
        expect(await broker.health?.()).toEqual({ ok: false, detail: expect.stringMatching(says) })
      },
    )

    test('is named in full: every argument, not only the first', async () => {
      const space = await fresh(home)
      const channel = await (await stranger(space.url)).createChannel()
      await channel.assertQueue('work', {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 },
      })
      await expect((await open(space)).declare([{ name: 'work' }])).rejects.toMatchObject({
        message: expect.stringMatching(
          /(?=.*no x-single-active-consumer)(?=.*no x-dead-letter-exchange)(?=.*no x-overflow)(?=.*x-delivery-limit 3)/,
        ),
      })
    })

    test('keeps no other channel from working: its messages come back with the reason', async () => {
      const space = await fresh(home)
      await (await open(space)).declare([{ name: 'odd', ordered: false }])
      const broker = await open(space)
      await expect(broker.declare([{ name: 'odd' }, { name: 'work' }])).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
      })
      const outcomes = await broker.publish([message('k', '1', 'odd'), message('k', '2')])
      expect(outcomes).toEqual([
        expect.objectContaining({ kind: 'returned', reason: expect.stringContaining('the queue odd has') }),
        expect.objectContaining({ kind: 'confirmed' }),
      ])
      expect(await broker.peek('work', 10)).toEqual(['2'])
    })

    // made by 3.x, and still there after the upgrade
    test.skipIf(!home.version.startsWith('4.'))(
      'of a queue that is older than the server is let pass, and named',
      async () => {
        const space = await fresh(home)
        const channel = await (await stranger(space.url)).createChannel()
        const older = {
          'x-queue-type': 'quorum',
          'x-single-active-consumer': true,
          'x-dead-letter-exchange': 'obverse',
          'x-dead-letter-routing-key': 'failed_messages',
          'x-dead-letter-strategy': 'at-least-once',
          'x-overflow': 'reject-publish',
        }
        await channel.assertQueue('work', { durable: true, arguments: older })
        const broker = await open(space)
        await broker.declare([{ name: 'work' }])
        expect(await broker.publish([message('k', '1')])).toEqual([expect.objectContaining({ kind: 'confirmed' })])
        const findings = (await broker.examine?.()) ?? []
        expect(findings.filter(({ level }) => level !== 'ok')).toEqual([
          {
            level: 'warning',
            subject: 'queue work',
            says: expect.stringContaining('gives messages up from it after 20 deliveries'),
            remedy: expect.stringContaining('rabbitmqctl delete_queue work'),
          },
        ])
        await expect(broker.peek('work', 1)).rejects.toMatchObject({ code: 'QUEUE_IN_USE' })
      },
    )

    test('two channels that need one queue are refused before anything is declared', async () => {
      const broker = await open(await fresh(home))
      const clash = { code: 'CONFIGURATION_INVALID', message: expect.stringContaining('work.0') }
      await expect(broker.declare([{ name: 'work', partitions: 2 }, { name: 'work.0' }])).rejects.toMatchObject(clash)
      await expect(broker.declare([{ name: 'failed_messages' }])).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
      })
    })
  })
})
