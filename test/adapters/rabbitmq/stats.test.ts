import { describe, expect, test } from 'vitest'
import { Inbox, messages, open, servers, until, working } from './world.ts'

describe.each(servers)('counting on $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('a channel', () => {
    test('counts consumers that wait for their turn, and what others have taken', async () => {
      const { broker: one, space } = await working(home, {}, { partitions: 2 })
      const other = await open(space)
      const looking = await open(space)
      for (const each of [other, looking]) await each.declare([{ name: 'work', partitions: 2 }])
      const [active, waiting] = [new Inbox(), new Inbox()]
      await one.subscribe('work', active.options)
      const second = await other.subscribe('work', waiting.options)
      await one.publish(messages(20))
      await active.came(20)
      await until('both, and all that is taken', async () => {
        const [stats] = await looking.stats()
        return stats?.consumers === 2 && stats.unsettled === 20 && stats.messages === 20
      })
      for (const delivery of active.all) await delivery.ack()
      await second.close()
      await until('one, and nothing', async () => {
        const [stats] = await looking.stats()
        return stats?.consumers === 1 && stats.messages === 0
      })
    })

    test('tells rates where the management plugin is asked', async () => {
      const { broker, space } = await working(home)
      await broker.subscribe('work', new Inbox({ ack: true }).options)
      const blind = await open(space, { management: false })
      await blind.declare([{ name: 'work' }])
      await until('a rate', async () => {
        await broker.publish(messages(20))
        const [stats] = await broker.stats()
        return stats?.rates && stats.rates.published > 0 && stats.rates.settled > 0
      })
      expect((await blind.stats())[0]).not.toHaveProperty('rates')
    })
  })
})
