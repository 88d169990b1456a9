import {
  command,
  createApp,
  event,
  handle,
  ObverseError,
  outage,
  projection,
  type Step,
  unchecked,
  view,
} from 'obverse'
import { memory, memoryBroker } from 'obverse/memory'
import { describe, expect, test } from 'vitest'
import { folder, stores, until } from '../paths/stores.ts'

const Add = command('add', unchecked<{ key: string; n: number }>())
const Added = event('added', unchecked<{ key: string; n: number }>(), { key: (e) => e.key })
const totals = view('totals', { row: unchecked<{ key: string; total: number }>(), key: 'key' })
const add = handle(Add, (c, ctx) => ctx.publish(Added(c)))
const summing = projection('summing', totals, { feed: { channel: 'sums' } }).on(Added, (e, rows) =>
  rows.increment(e.key, { total: e.n }, { key: e.key, total: 0 }),
)

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe.each(stores)('start and stop on %s', (_, store) => {
  test('each twice is once, and start works after stop', async () => {
    const app = createApp({ handlers: [add], projections: [summing], store: store() })
    await Promise.all([app.start(), app.start()])
    await app.send(Add({ key: 'a', n: 1 }))
    await Promise.all([app.stop(), app.stop()])
    await app.stop()
    await app.start()
    await app.send(Add({ key: 'a', n: 2 }))
    await until(async () => (await app.operate.projections.list())[0]?.rows === 1)
    expect(await app.operate.log.head()).toBeGreaterThanOrEqual(1)
    await app.stop()
  })

  test('stopped and started at random moments under load, everything is handled once and in order', async () => {
    const seed = 20_261_121
    const random = seeded(seed)
    const seen = new Map<string, number[]>()
    const note = handle(Added, { channel: 'notes', name: 'note' }, async (e) => {
      if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 3))
      const known = seen.get(e.key) ?? []
      seen.set(e.key, [...known, e.n])
    })
    // an application that only writes, and one that comes and goes, on the same data
    const data = store()
    const writer = createApp({ handlers: [add, note], projections: [summing], store: data })
    const worker = createApp({ handlers: [add, note], projections: [summing], store: data })
    let stops = 0
    let writing = true
    let sent = 0
    const comeAndGo = async () => {
      while (writing) {
        const started = worker.start()
        await new Promise((resolve) => setTimeout(resolve, random() * 40))
        if (random() < 0.5) await started
        await worker.stop()
        stops += 1
      }
    }
    const write = async () => {
      for (let n = 1; n <= 150 || stops < 5; n += 1) {
        await writer.send(Add({ key: `k${n % 5}`, n }))
        sent = n
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
      }
      writing = false
    }
    await Promise.all([comeAndGo(), write()])
    await writer.drain()
    expect(stops).toBeGreaterThanOrEqual(5)
    for (let k = 0; k < 5; k += 1) {
      const mine = Array.from({ length: sent }, (_, n) => n + 1).filter((n) => n % 5 === k)
      // a handler whose effect is elsewhere may run again for a message whose commit was cut off: never out of order
      expect([...new Set(seen.get(`k${k}`))], `seed ${seed}`).toEqual(mine)
    }
    const report = (await writer.operate.projections.list())[0]
    expect(report).toMatchObject({ rows: 5, parked: 0 })
    expect((await writer.operate.projections.verify('summing')).different).toEqual([])
    expect((await writer.operate.channels.list()).every(({ messages }) => messages === 0)).toBe(true)
    await writer.stop()
  })

  test('an outage of something a handler needs costs no attempt, and work goes on when it is over', async () => {
    let down = true
    let tries = 0
    const flaky = handle(Added, { channel: 'notes', retry: { retries: 0 } }, () => {
      tries += 1
      if (down) throw outage('the printer is off')
    })
    const app = createApp({ handlers: [add, flaky], store: store() })
    await app.start()
    await app.send(Add({ key: 'a', n: 1 }))
    await until(() => tries > 2)
    expect(await app.operate.deadLetters.list()).toEqual([])
    down = false
    await until(async () => (await app.operate.channels.list())[0]?.messages === 0)
    expect(await app.operate.deadLetters.list()).toEqual([])
    await app.stop()
  })
})

describe('opening', () => {
  test('a broker that is down is no reason not to: commands are taken, and their events arrive later', async () => {
    const server = memoryBroker()
    let down = true
    const broker = async () => {
      const connected = server.connect()
      const orOutage = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
        return async (...args: A) => {
          if (down) throw outage('the broker is down')
          return work(...args)
        }
      }
      const { declare, publish, subscribe } = connected
      return {
        ...connected,
        declare: orOutage(declare),
        subscribe: orOutage(subscribe),
        publish: orOutage(async (messages: Parameters<typeof publish>[0]) => {
          await declare([{ name: 'sums' }])
          return publish(messages)
        }),
      }
    }
    const steps: Step[] = []
    const observe = [(step: Step) => steps.push(step)]
    const app = createApp({ handlers: [add], projections: [summing], store: memory(), broker, observe })
    await app.start()
    await app.send(Add({ key: 'a', n: 1 }))
    expect(steps).toContainEqual(expect.objectContaining({ step: 'failed', part: 'broker memory-broker' }))
    expect((await app.operate.projections.list())[0]?.rows).toBe(0)
    down = false
    await until(async () => (await app.operate.projections.list())[0]?.rows === 1)
    await app.stop()
  })

  test('what was opened is closed again when the rest cannot be', async () => {
    const closed: string[] = []
    const store = memory()
    const watched = {
      name: 'watched',
      open: async (environment: Parameters<typeof store.open>[0]) => {
        const opened = await store.open(environment)
        const close = async () => {
          closed.push('store')
          await opened.close()
        }
        return { ...opened, close }
      },
    }
    const broker = async () => {
      const connected = memoryBroker().connect()
      const declare = () => Promise.reject(new ObverseError('CONFIGURATION_INVALID', 'another queue of that name'))
      return { ...connected, declare, close: async () => void closed.push('broker') }
    }
    const app = createApp({ handlers: [add], projections: [summing], store: watched, broker })
    await expect(app.open()).rejects.toThrow('another queue of that name')
    expect(closed).toEqual(['broker', 'store'])
  })

  test('a store that cannot be opened is asked again by the next call', async () => {
    const real = memory()
    let broken = true
    const store = {
      name: 'flaky',
      open: (environment: Parameters<typeof real.open>[0]) =>
        broken ? Promise.reject(new Error('not yet')) : real.open(environment),
    }
    const app = createApp({ handlers: [add], store })
    await expect(app.start()).rejects.toThrow('not yet')
    broken = false
    await app.start()
    await app.send(Add({ key: 'a', n: 1 }))
    await app.stop()
    expect(folder()).toBeTruthy()
  })
})
