import { type Broker, type BrokerDelivery, systemRuntime } from 'obverse'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { addressOf } from '../../../src/adapters/rabbitmq/address.ts'
import { RabbitBroker } from '../../../src/adapters/rabbitmq/broker.ts'
import { Gate } from '../../../src/adapters/rabbitmq/gate.ts'
import { type RabbitOptions, settings } from '../../../src/adapters/rabbitmq/options.ts'
import { partitionOf } from '../../../src/adapters/rabbitmq/partition.ts'
import { fresh, type Space } from '../../servers.ts'
import { cut, message, servers, stranger, until } from './world.ts'

const KEYS = Array.from({ length: 16 }, (_, n) => `key-${n}`)

interface Taken {
  readonly by: string
  readonly key: string
  readonly number: number
  readonly redelivered: boolean
}

/** Processes that share a channel, and one that publishes to every key in turn until it is told to end. */
class Fleet {
  readonly taken: Taken[] = []
  readonly overlaps: string[] = []
  readonly #open = new Map<string, string>()
  readonly #space: Space
  readonly #partitions: number
  readonly #options: RabbitOptions
  #round = 0
  #publishing: Promise<void> | undefined
  #end = false
  /** Milliseconds that a message takes. */
  work: (number: number) => number = (number) => number % 4

  constructor(space: Space, partitions: number, options: RabbitOptions = {}) {
    this.#space = space
    this.#partitions = partitions
    this.#options = options
  }

  async broker(): Promise<Broker> {
    const checked = { ...settings({ management: false, ...this.#options }), spread: { every: 150, patience: 1_000 } }
    const broker = new RabbitBroker(addressOf(this.#space.url, checked), checked, systemRuntime)
    onTestFinished(() => broker.close())
    await broker.declare([{ name: 'work', partitions: this.#partitions }])
    return broker
  }

  async join(by: string): Promise<Broker> {
    const broker = await this.broker()
    await broker.subscribe('work', {
      prefetch: 40,
      onDeliveries: (deliveries) => {
        for (const delivery of deliveries) this.#take(by, delivery)
      },
    })
    return broker
  }

  publish(through: Broker): void {
    const publish = async () => {
      for (; !this.#end; this.#round += 1) {
        await through.publish(KEYS.map((key) => message(key, `${key}:${this.#round}`)))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    this.#publishing = publish()
    // a test that fails in the middle of it ends it as well, before its connection; whoever waits for the end hears of a failure
    this.#publishing.catch(() => {})
    onTestFinished(() => this.endPublishing())
  }

  /** Which partitions each has, by the last message of each. */
  holders(): readonly (string | undefined)[] {
    const last = new Map(this.taken.map(({ by, key }) => [partitionOf(key, this.#partitions), by]))
    return Array.from({ length: this.#partitions }, (_, at) => last.get(at))
  }

  /** How many partitions each has, ascending. */
  shares(): readonly number[] {
    const counts = new Map<string | undefined, number>()
    for (const holder of this.holders()) counts.set(holder, (counts.get(holder) ?? 0) + 1)
    return [...counts.values()].sort()
  }

  async endPublishing(): Promise<void> {
    this.#end = true
    await this.#publishing
  }

  /** Waits until every message has come, and is settled. */
  async drain(): Promise<void> {
    await this.endPublishing()
    await until(
      'every message',
      () => new Set(this.taken.map(({ key, number }) => `${key}:${number}`)).size === this.total,
    )
    await until('nobody to have one', () => this.#open.size === 0)
  }

  get total(): number {
    return this.#round * KEYS.length
  }

  /** What breaks a promise. */
  mistakes(): readonly string[] {
    const found = [...this.overlaps]
    for (const key of KEYS) {
      let last = -1
      for (const { number, redelivered, by } of this.taken.filter((one) => one.key === key)) {
        if (number > last + 1) found.push(`${key}: ${number} after ${last}, with ${by}`)
        if (number <= last && !redelivered) found.push(`${key}: ${number} again after ${last}, with ${by}, unmarked`)
        last = Math.max(last, number)
      }
    }
    return found
  }

  #take(by: string, { body, redelivered, ack }: BrokerDelivery): void {
    const [key = '', number] = body.split(':')
    const holder = this.#open.get(key) ?? by
    if (holder !== by) this.overlaps.push(`${key} is with ${holder} and with ${by}`)
    this.#open.set(key, by)
    this.taken.push({ by, key, number: Number(number), redelivered })
    systemRuntime.after(this.work(Number(number)), () => {
      this.#open.delete(key)
      void ack()
    })
  }
}

describe.each(servers)('spreading on $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('partitions', () => {
    test.each([
      { partitions: 2, queues: 'quorum' },
      { partitions: 4, queues: 'quorum' },
      { partitions: 4, queues: 'classic' },
    ] as const)(
      'gives $partitions $queues ones to two processes evenly, and each key keeps its order',
      async ({ partitions, queues }) => {
        const fleet = new Fleet(await fresh(home), partitions, { queues })
        const one = await fleet.join('one')
        fleet.publish(one)
        await until('one to have all', () => fleet.shares()[0] === partitions)
        await fleet.join('other')
        const half = partitions / 2
        await until('a half each', () => fleet.shares().join() === `${half},${half}`)
        const before = fleet.taken.length
        const holders = fleet.holders().join()
        await until('more of everything', () => fleet.taken.length > before + 600)
        expect(fleet.holders().join()).toBe(holders)
        await fleet.drain()
        expect(fleet.mistakes()).toEqual([])
      },
    )

    test('go round until nobody has more than its share, and back to who is left', async () => {
      const fleet = new Fleet(await fresh(home), 3)
      const publisher = await fleet.broker()
      await fleet.join('one')
      fleet.publish(publisher)
      await until('one to have all', () => fleet.shares()[0] === 3)
      const other = await fleet.join('other')
      const third = await fleet.join('third')
      await until('one each', () => fleet.shares().join() === '1,1,1')
      await Promise.all([other.close(), third.close()])
      await until('one to have all again', () => fleet.shares()[0] === 3)
      await fleet.drain()
      // what was open at the two that left comes again
      expect(fleet.mistakes().filter((mistake) => !mistake.includes(' is with '))).toEqual([])
    })

    test('stay with a process that is alone', async () => {
      const fleet = new Fleet(await fresh(home), 4)
      fleet.publish(await fleet.join('one'))
      const hold = vi.spyOn(Gate.prototype, 'hold')
      onTestFinished(() => hold.mockRestore())
      await until('a while', () => fleet.taken.length > 3_000)
      await fleet.drain()
      expect(hold).not.toHaveBeenCalled()
      expect(fleet.taken.some(({ redelivered }) => redelivered)).toBe(false)
    })

    test('leave nothing behind on the server', async () => {
      const space = await fresh(home)
      const fleet = new Fleet(space, 2)
      const brokers = [await fleet.join('one'), await fleet.join('other')]
      const model = await stranger(space.url)
      const count = async () => {
        const amqp = await model.createChannel()
        amqp.on('error', () => {})
        return amqp.checkQueue('obverse.work.consumers').then(
          ({ consumerCount }) => consumerCount,
          () => 0,
        )
      }
      await until('both', async () => (await count()) === 2)
      await Promise.all(brokers.map((broker) => broker.close()))
      await until('none', async () => (await count()) === 0)
    })

    test('are kept while a message is open for too long, and go on', async () => {
      const fleet = new Fleet(await fresh(home), 2)
      const release = vi.spyOn(Gate.prototype, 'release')
      onTestFinished(() => release.mockRestore())
      const one = await fleet.join('one')
      fleet.work = (number) => (number === 0 ? 20_000 : 1)
      fleet.publish(one)
      await until('one to have all', () => fleet.shares()[0] === 2)
      await fleet.join('other')
      await until('it to have been tried', () => release.mock.calls.length > 0)
      const before = fleet.taken.length
      await until('more of everything', () => fleet.taken.length > before + 200)
      expect(fleet.shares()).toEqual([2])
      expect(fleet.mistakes()).toEqual([])
      await fleet.endPublishing()
    })

    test('are not left before all that somebody gave back has come, which would change its order', async () => {
      const space = await fresh(home)
      const fleet = new Fleet(space, 2)
      const publisher = await fleet.broker()
      const greedy = await stranger(space.url)
      const channel = await greedy.createChannel()
      await channel.prefetch(300)
      let taken = 0
      for (const queue of ['work.0', 'work.1']) {
        await channel.consume(queue, () => {
          taken += 1
        })
      }
      fleet.publish(publisher)
      await until('much to be taken', () => taken === 600)
      fleet.work = () => 60
      await fleet.join('one')
      await fleet.join('other')
      cut(greedy)
      await until('one each', () => fleet.shares().join() === '1,1')
      fleet.work = () => 1
      await fleet.drain()
      expect(fleet.mistakes()).toEqual([])
    })

    // a canary: it must see what the wait is for
    test('are with two at once if who leaves does not wait for its open messages', async () => {
      const fleet = new Fleet(await fresh(home), 2)
      fleet.work = () => 300
      const hold = vi.spyOn(Gate.prototype, 'hold').mockImplementation(async (source) => {
        source.open = 0
      })
      onTestFinished(() => hold.mockRestore())
      const one = await fleet.join('one')
      fleet.publish(one)
      await until('one to have all', () => fleet.shares()[0] === 2)
      await fleet.join('other')
      await until('one each', () => fleet.shares().join() === '1,1')
      await fleet.drain()
      expect(fleet.mistakes()).toContainEqual(expect.stringContaining(' is with '))
    })
  })
})
