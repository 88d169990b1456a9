import { describe, expect, test } from 'vitest'
import { addressOf } from '../../../src/adapters/rabbitmq/address.ts'
import { differenceIn, differenceRemedy, differenceText } from '../../../src/adapters/rabbitmq/difference.ts'
import { brokerError } from '../../../src/adapters/rabbitmq/failure.ts'
import { settings } from '../../../src/adapters/rabbitmq/options.ts'
import { channelOf, partitionOf, queueNames, routingKey } from '../../../src/adapters/rabbitmq/partition.ts'

const refused = (code: number, name: string, text: string) =>
  Object.assign(new Error(`Operation failed: QueueDeclare; ${code} (${name}) with message "${text}"`), { code })
const inequivalent = (argument: string, received: string, current: string) =>
  refused(
    406,
    'PRECONDITION-FAILED',
    `PRECONDITION_FAILED - inequivalent arg '${argument}' for queue 'orders' in vhost '/': received ${received} but current is ${current}`,
  )

describe('what the server says of a difference', () => {
  test.each([
    ['x-queue-type', "'classic'", "'quorum'", 'classic', 'quorum'],
    ['x-queue-type', 'none', "the value 'quorum' of type 'longstr'", undefined, 'quorum'],
    ['x-delivery-limit', "the value '-1' of type 'byte'", 'none', -1, undefined],
    ['x-single-active-consumer', "the value 'true' of type 'bool'", 'none', true, undefined],
    ['x-max-length', "'3'", "'2'", 3, 2],
    ['durable', "'true'", "'false'", true, false],
    ['x-dead-letter-exchange', 'none', "the value '' of type 'longstr'", undefined, ''],
  ])('%s: %s, %s', (argument, received, current, wanted, found) => {
    const difference = differenceIn(inequivalent(argument, received, current))
    expect(difference).toEqual({ kind: 'queue', of: 'orders', argument, wanted, found })
  })

  test('is named with queue, argument, what is there and what is wanted, and with a remedy', () => {
    const difference = differenceIn(inequivalent('x-queue-type', "'quorum'", "'classic'"))
    expect(difference && differenceText(difference)).toBe(
      'the queue orders has x-queue-type classic where quorum is wanted',
    )
    expect(difference && differenceRemedy([difference])).toMatch(/rabbitmqctl delete_queue orders; .*option `queues`/)
  })

  test('is no difference when it is another refusal', () => {
    expect(differenceIn(refused(404, 'NOT-FOUND', "NOT_FOUND - no queue 'orders' in vhost '/'"))).toBeUndefined()
    expect(differenceIn(new Error('socket hang up'))).toBeUndefined()
  })
})

describe('an error of the driver', () => {
  const asker = { text: 'rabbit:5672', vhost: 'shop', user: 'app', password: 's3cret' }
  const codeOf = (error: unknown) => brokerError(error, asker, 'connect').code

  test('is an outage unless it cannot pass by itself', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE']) {
      expect(codeOf(Object.assign(new Error(`connect ${code}`), { code }))).toBe('BROKER_UNREACHABLE')
    }
    for (const text of ['Heartbeat timeout', 'Unexpected close', 'Socket closed abruptly during opening handshake']) {
      expect(codeOf(new Error(text))).toBe('BROKER_UNREACHABLE')
    }
    expect(codeOf(refused(320, 'CONNECTION-FORCED', 'CONNECTION_FORCED - broker forced connection closure'))).toBe(
      'BROKER_UNREACHABLE',
    )
    expect(
      codeOf(
        refused(404, 'NOT-FOUND', "NOT_FOUND - queue 'orders' in vhost '/' process is stopped; home node is down"),
      ),
    ).toBe('BROKER_UNREACHABLE')
  })

  test('is a mistake when somebody has to mend something, and says what', () => {
    const login = new Error(
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN."',
    )
    expect(brokerError(login, asker, 'connect')).toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(brokerError(login, asker, 'connect').message).toContain('Mend the user app or its password')
    const host = new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>')
    expect(brokerError(host, asker, 'connect').message).toContain(
      'virtual host shop does not exist, or app may not use it',
    )
    const right = refused(
      403,
      'ACCESS-REFUSED',
      "ACCESS_REFUSED - access to queue 'orders' in vhost 'shop' refused for user 'app'",
    )
    expect(brokerError(right, asker, 'declare').message).toContain('set_permissions -p shop app')
  })

  test('never repeats the password', () => {
    expect(brokerError(new Error('cannot reach amqp://app:s3cret@rabbit'), asker, 'connect').message).not.toContain(
      's3cret',
    )
  })
})

describe('the address', () => {
  const address = (url: string, management?: string | false) =>
    addressOf(url, settings(management === undefined ? {} : { management }))

  test('is read as RabbitMQ has it', () => {
    expect(address('amqp://app:p%40ss@rabbit:5673/shop%2Feu')).toMatchObject({
      text: 'rabbit:5673/shop/eu',
      vhost: 'shop/eu',
      user: 'app',
      password: 'p@ss',
    })
    expect(address('amqp://localhost')).toMatchObject({ text: 'localhost:5672', vhost: '/', user: 'guest' })
  })

  test('asks for the heartbeat of the option, unless the URL has one', () => {
    expect(address('amqp://localhost').url).toContain('heartbeat=10')
    expect(address('amqp://localhost?heartbeat=3').url).toContain('heartbeat=3')
  })

  test('guesses the management plugin only beside a server on its usual port', () => {
    expect(address('amqp://rabbit').management).toEqual({ origin: 'http://rabbit:15672', credentials: 'guest:guest' })
    expect(address('amqps://a:b@rabbit').management?.origin).toBe('https://rabbit:15671')
    expect(address('amqp://rabbit:5673').management).toBeUndefined()
    expect(address('amqp://rabbit', false).management).toBeUndefined()
    expect(address('amqp://rabbit', 'http://x:y@other:1/').management).toEqual({
      origin: 'http://other:1',
      credentials: 'x:y',
    })
  })

  test.each([['rabbit:5672'], ['http://rabbit'], ['amqp://'], ['']])(
    'refuses %j without repeating a password',
    (url) => {
      expect(() => address(url)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
    },
  )
})

describe('partitions', () => {
  test('are found by a checksum that anybody can repeat', () => {
    // CRC-32, as zlib.crc32 in Python and PHP's crc32() have it
    expect([partitionOf('order-1', 1_000_000_007), partitionOf('', 7)]).toEqual([0xe0b37fef % 1_000_000_007, 0])
  })

  test('get about as many keys each', () => {
    const counts = [0, 0, 0, 0]
    for (let n = 0; n < 4_000; n += 1)
      counts[partitionOf(`customer-${n}`, 4)] = (counts[partitionOf(`customer-${n}`, 4)] ?? 0) + 1
    expect(Math.min(...counts)).toBeGreaterThan(900)
  })

  test('have the name of the channel, and a key that says how many there are', () => {
    expect(queueNames('orders', 1)).toEqual(['orders'])
    expect(queueNames('orders', 2)).toEqual(['orders.0', 'orders.1'])
    expect([routingKey('orders', 1, 0), routingKey('orders', 2, 1)]).toEqual(['orders', 'orders/2/1'])
  })

  test('lead back to their channel', () => {
    const known = new Map([
      ['orders', 2],
      ['mail.1', 1],
    ])
    expect(channelOf('orders.1', known)).toBe('orders')
    expect(channelOf('mail.1', known)).toBe('mail.1')
    expect(channelOf('stock.3', known)).toBe('stock')
    expect(channelOf('stock', known)).toBe('stock')
  })
})
