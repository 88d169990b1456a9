import assert from 'node:assert/strict'
import type { Broker, Published } from 'obverse'
import { systemRuntime } from 'obverse'
import type { Case } from './case.ts'
import { aWhile, Inbound, until } from './wait.ts'

/** What a case of a broker is given. */
export interface BrokerSubject {
  /** A connection to one broker without queues; each call is another connection. */
  open(): Promise<Broker>
}

const message = (key: string | null, body: string, channel = 'work'): Published => ({
  messageId: systemRuntime.id(),
  channel,
  key,
  body,
})

async function declared(subject: BrokerSubject): Promise<Broker> {
  const broker = await subject.open()
  await broker.declare([{ name: 'work' }])
  return broker
}

async function statsOf(broker: Broker, channel = 'work') {
  return (await broker.stats()).find((stats) => stats.channel === channel)
}

/** Contract of `Broker`. */
export const brokerCases: readonly Case<BrokerSubject>[] = [
  {
    name: 'what is published is confirmed, delivered as it was, and gone once acknowledged',
    async run(subject) {
      const broker = await declared(subject)
      const bodies = ['{"a":1}', 'Grüße 🚀\n"', 'x'.repeat(100_000)]
      const published = bodies.map((body) => message('k', body))
      const outcomes = await broker.publish(published)
      assert.deepEqual(
        outcomes,
        published.map(({ messageId }) => ({ messageId, kind: 'confirmed' })),
      )
      const inbound = new Inbound()
      await broker.subscribe('work', inbound.options)
      const came = await inbound.came(3)
      assert.deepEqual(
        came.map(({ body, redelivered }) => [body, redelivered]),
        bodies.map((body) => [body, false]),
      )
      assert.deepEqual([(await statsOf(broker))?.messages, (await statsOf(broker))?.unsettled], [3, 3])
      for (const delivery of came) await delivery.ack()
      await came[0]?.ack()
      await until('the queue to be empty', async () => (await statsOf(broker))?.messages === 0)
    },
  },
  {
    name: 'a channel that nobody declared returns what is published to it; the rest of the batch is confirmed',
    needs: ['returns'],
    async run(subject) {
      const broker = await declared(subject)
      const outcomes = await broker.publish([message('k', '1'), message('k', '2', 'nowhere'), message('k', '3')])
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['confirmed', 'returned', 'confirmed'],
      )
      assert.deepEqual(await broker.peek('work', 10), ['1', '3'])
    },
  },
  {
    name: 'messages of a key are delivered in the order in which they were published',
    async run(subject) {
      const broker = await declared(subject)
      const inbound = new Inbound(1_000)
      await broker.subscribe('work', inbound.options)
      for (let n = 0; n < 100; n += 1) await broker.publish([message(`k${n % 3}`, `${n % 3}:${n}`)])
      const came = await inbound.came(100)
      for (const key of ['0', '1', '2']) {
        const numbers = came.flatMap(({ body }) => (body.startsWith(`${key}:`) ? [Number(body.split(':')[1])] : []))
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    },
  },
  {
    name: 'at most prefetch deliveries are unsettled; each acknowledgement makes room',
    async run(subject) {
      const broker = await declared(subject)
      await broker.publish(Array.from({ length: 10 }, (_, n) => message(`k${n}`, String(n))))
      const inbound = new Inbound(3)
      await broker.subscribe('work', inbound.options)
      await inbound.came(3)
      await aWhile()
      assert.equal(inbound.all.length, 3)
      await inbound.all[1]?.ack()
      await inbound.came(4)
      for (let n = 0; n < 10; n += 1) {
        await until(`delivery ${n}`, () => inbound.all.length > n)
        await inbound.all[n]?.ack()
      }
      assert.equal(new Set(inbound.bodies).size, 10)
    },
  },
  {
    name: 'what was not acknowledged when its subscription closed comes again, in order, marked as redelivered',
    async run(subject) {
      const broker = await declared(subject)
      await broker.publish([1, 2, 3, 4].map((n) => message('k', String(n))))
      const first = new Inbound(3)
      const subscription = await broker.subscribe('work', first.options)
      const came = await first.came(3)
      await came[0]?.ack()
      await subscription.close()
      await subscription.close()
      const second = new Inbound()
      await broker.subscribe('work', second.options)
      const again = await second.came(3)
      assert.deepEqual(
        again.map(({ body }) => body),
        ['2', '3', '4'],
      )
      assert.deepEqual(
        again.slice(0, 2).map(({ redelivered }) => redelivered),
        [true, true],
      )
      assert.equal(first.all.length, 3, 'a closed subscription gets nothing more')
    },
  },
  {
    name: 'an acknowledgement after the row went to another does nothing',
    async run(subject) {
      const broker = await declared(subject)
      await broker.publish([message('k', '1')])
      const first = new Inbound()
      const subscription = await broker.subscribe('work', first.options)
      const [late] = await first.came(1)
      await subscription.close()
      const second = new Inbound()
      await broker.subscribe('work', second.options)
      await second.came(1)
      await late?.ack().catch(() => {})
      assert.equal((await statsOf(broker))?.messages, 1)
    },
  },
  {
    name: 'deliveries of a connection that closed come again to another',
    async run(subject) {
      const [one, two] = [await declared(subject), await declared(subject)]
      await one.publish([message('k', '1')])
      const first = new Inbound()
      await one.subscribe('work', first.options)
      await first.came(1)
      await one.close()
      const second = new Inbound()
      await two.subscribe('work', second.options)
      assert.deepEqual(
        (await second.came(1)).map(({ body, redelivered }) => [body, redelivered]),
        [['1', true]],
      )
    },
  },
  {
    name: 'a key is never in two subscriptions at once, and every message comes once',
    async run(subject) {
      const [one, two] = [await declared(subject), await declared(subject)]
      const open = new Map<string, number>()
      const order: string[] = []
      const wrong: string[] = []
      const consume = (me: number) => ({
        prefetch: 5,
        onDeliveries: (deliveries: readonly { body: string; ack(): Promise<void> }[]) => {
          for (const { body, ack } of deliveries) {
            const key = body.split(':')[0] ?? ''
            const holder = open.get(key)
            if (holder !== undefined && holder % 10 !== me) wrong.push(`${body} while ${key} is with ${holder % 10}`)
            const count = Math.floor((holder ?? 0) / 10) + 1
            open.set(key, count * 10 + me)
            order.push(body)
            systemRuntime.after(1 + (order.length % 3), () => {
              const left = Math.floor((open.get(key) ?? 0) / 10) - 1
              if (left > 0) open.set(key, left * 10 + me)
              else open.delete(key)
              void ack()
            })
          }
        },
      })
      await one.subscribe('work', consume(1))
      await two.subscribe('work', consume(2))
      for (let n = 0; n < 120; n += 4) {
        await one.publish([0, 1, 2, 3].map((more) => message(`k${(n + more) % 4}`, `k${(n + more) % 4}:${n + more}`)))
      }
      await until('all deliveries', () => order.length >= 120)
      assert.deepEqual(wrong, [])
      assert.equal(new Set(order).size, 120)
      for (const key of ['k0', 'k1', 'k2', 'k3']) {
        const numbers = order.flatMap((body) => (body.startsWith(key) ? [Number(body.split(':')[1])] : []))
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    },
  },
  {
    name: 'messages without a key go to whoever has room',
    async run(subject) {
      const broker = await declared(subject)
      await broker.publish([1, 2].map((n) => message(null, String(n))))
      const [a, b] = [new Inbound(1), new Inbound(1)]
      await broker.subscribe('work', a.options)
      await broker.subscribe('work', b.options)
      await a.came(1)
      await b.came(1)
      assert.notEqual(a.all[0]?.body, b.all[0]?.body)
    },
  },
  {
    name: 'put takes raw text of any kind, peek shows it exactly, oldest first, and consumes nothing',
    async run(subject) {
      const broker = await declared(subject)
      const texts = ['not json', '{', '', '  ', '"text"', '{"id":"x"}', 'ä🚀']
      for (const text of texts) await broker.put('work', text)
      assert.deepEqual(await broker.peek('work', 100), texts)
      assert.deepEqual(await broker.peek('work', 2), texts.slice(0, 2))
      assert.deepEqual(await broker.peek('work', 100), texts)
      const inbound = new Inbound()
      await broker.subscribe('work', inbound.options)
      assert.deepEqual(
        (await inbound.came(texts.length)).map(({ body }) => body),
        texts,
      )
    },
  },
  {
    name: 'a paused subscription gets nothing new, may settle what it has, and goes on when it is resumed',
    async run(subject) {
      const broker = await declared(subject)
      const inbound = new Inbound()
      const subscription = await broker.subscribe('work', inbound.options)
      await broker.publish([message('k', '1')])
      const [first] = await inbound.came(1)
      subscription.pause()
      await broker.publish([message('k', '2'), message('other', '3')])
      await first?.ack()
      await aWhile()
      assert.equal(inbound.all.length, 1)
      subscription.resume()
      await inbound.came(3)
    },
  },
  {
    name: 'purge removes what waits and says how much',
    async run(subject) {
      const broker = await declared(subject)
      await broker.publish(['a', 'b', 'c'].map((key) => message(key, key)))
      assert.equal(await broker.purge('work'), 3)
      assert.equal(await broker.purge('work'), 0)
      assert.deepEqual(await broker.peek('work', 10), [])
      await broker.publish([message('a', 'later')])
      assert.deepEqual(await broker.peek('work', 10), ['later'])
    },
  },
  {
    name: 'stats tell messages, unsettled ones and consumers of every channel',
    async run(subject) {
      const broker = await subject.open()
      await broker.declare([{ name: 'work' }, { name: 'idle' }])
      await broker.declare([{ name: 'work' }])
      await broker.publish(['a', 'b', 'c'].map((key) => message(key, key)))
      const inbound = new Inbound(2)
      await broker.subscribe('work', inbound.options)
      await inbound.came(2)
      const stats = await statsOf(broker)
      assert.deepEqual([stats?.messages, stats?.unsettled, stats?.consumers], [3, 2, 1])
    },
  },
  {
    name: 'channels are apart',
    async run(subject) {
      const broker = await subject.open()
      await broker.declare([{ name: 'work' }, { name: 'other' }])
      await broker.publish([message('k', '1'), message('k', '2', 'other')])
      const inbound = new Inbound()
      await broker.subscribe('other', inbound.options)
      assert.deepEqual(
        (await inbound.came(1)).map(({ body }) => body),
        ['2'],
      )
      assert.deepEqual(await broker.peek('work', 10), ['1'])
    },
  },
]
