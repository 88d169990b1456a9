import { describe, expect, test } from 'vitest'
import { management } from '../../servers.ts'
import { Inbox, message, messages, servers, until, working } from './world.ts'

describe.each(servers)('publishing to $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('a batch', () => {
    test('that is larger than what may be on its way at once is confirmed in full, beside others', async () => {
      const { broker } = await working(home)
      const large = 'x'.repeat(400_000)
      const batches = [messages(60), messages(60), messages(700)].map((batch, at) =>
        at < 2 ? batch.map((one) => ({ ...one, body: `${one.body} ${large}` })) : batch,
      )
      const outcomes = await Promise.all(batches.map((batch) => broker.publish(batch)))
      for (const [at, batch] of batches.entries()) {
        expect(outcomes[at]).toEqual(batch.map(({ messageId }) => ({ messageId, kind: 'confirmed' })))
      }
      expect((await broker.stats())[0]?.messages).toBe(820)
    })

    test('with an id that no property has room for goes all the same, and is returned like others', async () => {
      const { broker } = await working(home)
      const batch = [message('k', '1'), { ...message('k', '2'), messageId: 'ä'.repeat(128) }, message('k', '3')]
      const outcomes = await broker.publish(batch)
      expect(outcomes).toEqual(batch.map(({ messageId }) => ({ messageId, kind: 'confirmed' })))
      const lost = batch.map((one) => ({ ...one, channel: 'nowhere' }))
      expect((await broker.publish(lost)).map(({ kind }) => kind)).toEqual(['returned', 'returned', 'returned'])
    })

    test('without messages is done', async () => {
      const { broker } = await working(home)
      expect(await broker.publish([])).toEqual([])
    })

    test('that its queue refuses counts as not sent, message by message', async () => {
      const { broker, space } = await working(home)
      const policy = { pattern: '^work$', definition: { 'max-length': 3 }, 'apply-to': 'queues' }
      await management(space.management ?? '', 'PUT', `/policies/${space.space}/short`, policy)
      const reason = await until('the policy to hold', async () => {
        const [outcome] = await broker.publish([message('k', '1')])
        return outcome?.kind === 'returned' ? outcome.reason : undefined
      })
      expect(reason).toContain('refused')
      await broker.purge('work')
      expect(await broker.publish([message('k', '2')])).toEqual([expect.objectContaining({ kind: 'confirmed' })])
    })

    test('is waited for when the broker is closed', async () => {
      const { broker } = await working(home)
      await broker.publish(messages(1))
      const publishing = broker.publish(messages(200))
      await broker.close()
      expect((await publishing).every(({ kind }) => kind === 'confirmed')).toBe(true)
    })
  })

  // before 3.12 nobody but the server's configuration says so, and from 4.3 on each consumer does
  test.skipIf(!/^(3\.1[23]|4\.[0-2])\./.test(home.version))(
    'and not acknowledging in time costs the AMQP channel, which is opened again; what it had comes again',
    async () => {
      const { broker, space } = await working(home)
      const policy = { pattern: '^work$', definition: { 'consumer-timeout': 1_500 }, 'apply-to': 'queues' }
      await management(space.management ?? '', 'PUT', `/policies/${space.space}/impatient`, policy)
      await until('the policy to hold', async () => {
        const { body } = await management(space.management ?? '', 'GET', `/queues/${space.space}/work`)
        return (body as { policy?: string }).policy === 'impatient'
      })
      const inbox = new Inbox()
      await broker.subscribe('work', inbox.options)
      await broker.publish([message('k', 'slow')])
      const [late] = await inbox.came(1)
      const [, again] = await inbox.came(2)
      expect([again?.body, again?.redelivered]).toEqual(['slow', true])
      expect(String(inbox.errors[0])).toContain('delivery acknowledgement')
      await late?.ack()
      await again?.ack()
      await until('the queue to be empty', async () => (await broker.stats())[0]?.messages === 0)
    },
  )
})
