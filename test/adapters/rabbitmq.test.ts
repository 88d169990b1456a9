import { systemRuntime } from 'obverse'
import { type RabbitOptions, rabbitmq } from 'obverse/rabbitmq'
import { brokerContracts } from 'obverse/testing/conformance'
import { describe, test } from 'vitest'
import { fresh, server } from '../servers.ts'

/** What an ordered channel cannot do here, and why. */
const except = {
  'broker: messages without a key go to whoever has room':
    'an ordered channel has one active consumer for each of its partitions, whatever the keys',
}

const servers = [await server('rabbitmq'), await server('rabbitmq4')]

describe.each(servers)('$name $version', (home) => {
  describe.skipIf(home.missing !== undefined).each<RabbitOptions>([{ queues: 'quorum' }, { queues: 'classic' }])(
    'with $queues queues',
    (options) => {
      const broker = async () => {
        const { url, management = false } = await fresh(home)
        const connect = rabbitmq(url, { ...options, management })
        return () => connect({ runtime: systemRuntime })
      }
      for (const { name, skip, run } of brokerContracts({ broker, capabilities: ['returns'], except })) {
        test.skipIf(skip)(name, run)
      }
    },
  )
})
