import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker, Published } from 'obverse'
import { describe, expect, test } from 'vitest'
import { ownServer } from '../../servers.ts'
import { Inbox, message, messages, open, until } from './world.ts'

const own = [await ownServer('rabbitmq'), await ownServer('rabbitmq4')]
const SLOW = 120_000

/** Publishes as a relay does, several batches at once, until `over`; what was rejected is `unknown`. */
class Load {
  readonly confirmed = new Set<string>()
  readonly unknown = new Map<string, Published>()
  readonly codes = new Set<string>()
  readonly done: Promise<unknown>
  over = false

  constructor(broker: Broker) {
    this.done = Promise.all([1, 2, 3, 4].map(() => this.#publish(broker)))
  }

  async #publish(broker: Broker): Promise<void> {
    while (!this.over) {
      const batch = messages(100).map((one) => ({ ...one, body: one.messageId }))
      try {
        for (const { messageId, kind } of await broker.publish(batch)) {
          if (kind === 'confirmed') this.confirmed.add(messageId)
        }
      } catch (error) {
        this.codes.add((error as { code: string }).code)
        for (const one of batch) this.unknown.set(one.messageId, one)
        await sleep(20)
      }
    }
  }
}

describe.each(own)('$name $version', (own) => {
  describe.skipIf(own.missing !== undefined)('while it is used', () => {
    test(
      'killed while messages are published: what was confirmed is there, what was not was rejected, all goes on by itself',
      async () => {
        const broker = await open(own)
        await broker.declare([{ name: 'work' }])
        // a quorum queue that is younger than half a second does not survive this, whatever is in it: RabbitMQ notes later that it exists
        await sleep(1_500)
        const consumer = new Inbox({ ack: true })
        const subscription = await broker.subscribe('work', consumer.options)
        await subscription.close()
        const load = new Load(broker)
        await until('some to be confirmed', () => load.confirmed.size > 1_000)
        await own.kill9()
        await until('it to be noticed', () => load.unknown.size > 0)
        load.over = true
        await load.done
        expect([...load.codes]).toEqual(['BROKER_UNREACHABLE'])

        expect(await broker.health?.()).toEqual({ ok: false, detail: expect.stringContaining('since 20') })
        const late = await open(own)
        await expect(late.declare([{ name: 'late' }])).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
        await expect(late.publish([message('k', '1', 'late')])).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })

        await own.start()
        await until('health to be good', async () => (await broker.health?.())?.ok, 20_000)
        await until(
          'what was declared in vain',
          async () => (await late.stats().catch(() => []))[0]?.channel === 'late',
        )
        expect(await late.publish([message('k', '1', 'late')])).toEqual([
          expect.objectContaining({ kind: 'confirmed' }),
        ])
        const again = await until('what was rejected to be published again', () =>
          broker.publish([...load.unknown.values()]).catch(() => undefined),
        )
        expect(again.every(({ kind }) => kind === 'confirmed')).toBe(true)
        await broker.subscribe('work', consumer.options)
        const expected = new Set([...load.confirmed, ...load.unknown.keys()])
        await until('everything', () => new Set(consumer.bodies).size >= expected.size, 30_000)
        expect(new Set(consumer.bodies)).toEqual(expected)
      },
      SLOW,
    )

    test(
      'restarted under a subscription and frozen beyond its heartbeat: both sides go on',
      async () => {
        const broker = await open(own, { heartbeat: 1_000, connectTimeout: 1_000, confirmTimeout: 20_000 })
        await broker.declare([{ name: 'frozen' }])
        const consumer = new Inbox({ ack: true })
        await broker.subscribe('frozen', consumer.options)
        await broker.publish([message('k', 'before', 'frozen')])
        await consumer.came(1)

        await own.pause()
        const started = performance.now()
        await expect(broker.publish([message('k', 'lost', 'frozen')])).rejects.toMatchObject({
          code: 'BROKER_UNREACHABLE',
        })
        expect(performance.now() - started, 'known by the heartbeat, not by the limit for a confirmation').toBeLessThan(
          8_000,
        )
        await until('the subscription to be told', () => consumer.errors.length > 0)
        await own.resume()
        await until('a publish to be confirmed', () =>
          broker.publish([message('k', 'thawed', 'frozen')]).catch(() => undefined),
        )
        await until('the delivery', () => consumer.bodies.includes('thawed'))

        await own.stop()
        await expect(broker.publish([message('k', 'down', 'frozen')])).rejects.toMatchObject({
          code: 'BROKER_UNREACHABLE',
        })
        await own.start()
        await until('a publish to be confirmed', () =>
          broker.publish([message('k', 'back', 'frozen')]).catch(() => undefined),
        )
        await until('the delivery', () => consumer.bodies.includes('back'))
        expect(consumer.errors.every((error) => (error as { code?: string }).code === 'BROKER_UNREACHABLE')).toBe(true)
      },
      SLOW,
    )

    test(
      'closing does not wait for one that is frozen',
      async () => {
        const broker = await open(own, { closeTimeout: 200 })
        await broker.declare([{ name: 'frozen' }])
        await broker.subscribe('frozen', new Inbox().options)
        await own.pause()
        try {
          const outcome = broker.publish([message('k', '1', 'frozen')]).then(
            () => 'confirmed',
            (error: { code: string }) => error.code,
          )
          const started = performance.now()
          await broker.close()
          expect(performance.now() - started).toBeLessThan(5_000)
          expect(await outcome).toBe('BROKER_CLOSED')
        } finally {
          await own.resume()
        }
      },
      SLOW,
    )
  })
})
