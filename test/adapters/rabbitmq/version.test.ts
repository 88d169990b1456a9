import { describe, expect, test } from 'vitest'
import { settings } from '../../../src/adapters/rabbitmq/options.ts'
import { channelArguments, consumerArguments, failedArguments } from '../../../src/adapters/rabbitmq/queue.ts'
import { behaviourOf, RULES, timeoutToAskFor, versionOf } from '../../../src/adapters/rabbitmq/version.ts'

const at = (version: string) => behaviourOf(versionOf(version))
const quorum = settings({})
const classic = settings({ queues: 'classic' })
const HOUR = 3_600_000

describe('what a version of RabbitMQ does', () => {
  test('is known from somewhere, and in order', () => {
    expect(RULES.filter(({ source }) => source.length < 20)).toEqual([])
    const froms = RULES.map(({ from: [major, minor] }) => major * 1_000 + minor)
    expect(froms).toEqual(froms.toSorted((a, b) => a - b))
  })

  test.each([
    // version, default limit, can be off, timeout by, of classic
    ['3.10.8', undefined, false, 'server', true],
    ['3.11.28', undefined, false, 'server', true],
    ['3.13.7', undefined, false, 'queue', true],
    ['4.0.5', 20, true, 'queue', true],
    ['4.2.1', 20, true, 'queue', true],
    ['4.3.6', 20, true, 'consumer', false],
    ['5.0.0-beta.1', 20, true, 'consumer', false],
  ] as const)('%s: limit %s, off %s, timeout by the %s', (version, limit, off, by, ofClassic) => {
    expect(at(version)).toMatchObject({
      defaultDeliveryLimit: limit,
      deliveryLimitCanBeOff: off,
      acknowledgementTimeoutBy: by,
      acknowledgementTimeoutOfClassic: ofClassic,
    })
  })

  test('an unknown version is treated as the oldest: nothing is sent that it could misunderstand', () => {
    expect(behaviourOf(versionOf(undefined))).toEqual(at('0.0'))
    expect(behaviourOf(versionOf('nightly'))).toEqual(at('0.0'))
  })
})

describe('arguments of a queue', () => {
  test('switch the delivery limit off where that is possible, and never where it would mean 0', () => {
    expect(channelArguments({ name: 'a' }, quorum, at('3.13.7'))).not.toHaveProperty('x-delivery-limit')
    expect(channelArguments({ name: 'a' }, quorum, at('4.0.5'))).toMatchObject({ 'x-delivery-limit': -1 })
    expect(failedArguments(quorum, at('3.10.8'))).toEqual({ 'x-queue-type': 'quorum' })
    expect(failedArguments(quorum, at('4.3.6'))).toEqual({ 'x-queue-type': 'quorum', 'x-delivery-limit': -1 })
  })

  test('take a limit that is asked for everywhere', () => {
    for (const version of ['3.10.8', '4.0.5', '4.3.6']) {
      const args = channelArguments({ name: 'a' }, settings({ deliveryLimit: 7 }), at(version))
      expect(args).toMatchObject({ 'x-delivery-limit': 7 })
    }
  })

  test('lose nothing that is given up from quorum queues', () => {
    expect(channelArguments({ name: 'a' }, quorum, at('3.10.8'))).toEqual({
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-dead-letter-exchange': 'obverse',
      'x-dead-letter-routing-key': 'failed_messages',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    })
  })

  test('of classic queues have neither limit nor strategy', () => {
    expect(channelArguments({ name: 'a' }, classic, at('4.0.5'))).toEqual({
      'x-queue-type': 'classic',
      'x-single-active-consumer': true,
      'x-dead-letter-exchange': 'obverse',
      'x-dead-letter-routing-key': 'failed_messages',
    })
  })

  test('let several consumers in where no order is kept', () => {
    expect(channelArguments({ name: 'a', ordered: false }, quorum, at('4.0.5'))).not.toHaveProperty(
      'x-single-active-consumer',
    )
  })
})

describe('the time for an acknowledgement', () => {
  test('is not mentioned while what servers wait by themselves is enough', () => {
    expect(timeoutToAskFor(30_000, at('4.0.5'))).toBeUndefined()
    expect(timeoutToAskFor(undefined, at('4.0.5'))).toBeUndefined()
    expect(channelArguments({ name: 'a', timeout: 30_000 }, quorum, at('4.0.5'))).not.toHaveProperty(
      'x-consumer-timeout',
    )
  })

  test('is asked for where handlers need longer, in the way the version knows', () => {
    const slow = { name: 'a', timeout: HOUR }
    const long = { 'x-consumer-timeout': HOUR + 300_000 }
    expect(channelArguments(slow, quorum, at('3.10.8'))).not.toHaveProperty('x-consumer-timeout')
    expect(channelArguments(slow, quorum, at('4.0.5'))).toMatchObject(long)
    expect(channelArguments(slow, quorum, at('4.3.6'))).not.toHaveProperty('x-consumer-timeout')
    expect(consumerArguments(HOUR, quorum, at('4.0.5'))).toEqual({})
    expect(consumerArguments(HOUR, quorum, at('4.3.6'))).toEqual(long)
  })

  test('is always given with a subscription where it can be, so that a shorter one of the server does not count', () => {
    expect(consumerArguments(30_000, quorum, at('4.3.6'))).toEqual({ 'x-consumer-timeout': 1_800_000 })
    expect(consumerArguments(30_000, classic, at('4.3.6'))).toEqual({})
  })
})
