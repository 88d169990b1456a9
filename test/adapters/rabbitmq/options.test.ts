import { type RabbitOptions, rabbitmq } from 'obverse/rabbitmq'
import { describe, expect, test } from 'vitest'

describe('options', () => {
  test.each<[string, RabbitOptions]>([
    ['queues', { queues: 'streams' as never }],
    ['exchange', { exchange: 'amq.direct' }],
    ['failed', { failed: 'has space' }],
    ['heartbeat', { heartbeat: 1_500 }],
    ['confirmTimeout', { confirmTimeout: 0 }],
    ['deliveryLimit', { deliveryLimit: 0 }],
    ['deliveryLimit', { deliveryLimit: 5, queues: 'classic' }],
    ['management', { management: 'rabbit:15672' }],
    ['prefetch', { prefetch: 5 } as RabbitOptions],
  ])('a bad %s is refused by name', (name, options) => {
    const refused = expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining(name) })
    expect(() => rabbitmq('amqp://localhost', options)).toThrow(refused)
  })
})
