import { ObverseError, type Runtime } from 'obverse'
import { describe, expect, test } from 'vitest'
import { type Dialled, type Line, Link } from '../../../src/adapters/rabbitmq/link.ts'

/** A clock that the test moves, and dials that it answers. */
function bench() {
  let elapsed = 0
  const timers = new Set<{ readonly at: number; readonly work: () => void }>()
  const runtime: Runtime = {
    now: () => elapsed,
    elapsed: () => elapsed,
    after(ms, work) {
      const timer = { at: elapsed + ms, work }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    id: () => 'id',
    random: () => 0,
  }
  const dials: { readonly line: Line; answer: PromiseWithResolvers<Dialled<string>> }[] = []
  const closed: string[] = []
  const link = new Link<string>({
    name: 'link',
    runtime,
    dial: (line) => {
      const answer = Promise.withResolvers<Dialled<string>>()
      dials.push({ line, answer })
      return answer.promise
    },
  })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    link,
    dials,
    closed,
    settle,
    async opens(value: string) {
      dials.at(-1)?.answer.resolve({ value, close: async () => void closed.push(value) })
      await settle()
    },
    async fails(text: string) {
      dials.at(-1)?.answer.reject(outage(text))
      await settle()
    },
    async pass(ms: number) {
      elapsed += ms
      for (const timer of [...timers]) if (timer.at <= elapsed && timers.delete(timer)) timer.work()
      await settle()
    },
  }
}

const outage = (text: string) => new ObverseError('BROKER_UNREACHABLE', text)

describe('a link', () => {
  test('dials when it is first needed, once for all who wait', async () => {
    const { link, dials, opens } = bench()
    expect(dials).toHaveLength(0)
    const both = Promise.all([link.get(), link.get()])
    await opens('a')
    expect(await both).toEqual(['a', 'a'])
    expect([dials.length, link.state, await link.get()]).toEqual([1, 'open', 'a'])
  })

  test('rejects who waits for a try that fails, and who comes while it waits, and tries again by itself', async () => {
    const { link, dials, fails, opens, pass } = bench()
    const first = link.get()
    const rejected = expect(first).rejects.toThrow('no 1')
    await fails('no 1')
    await rejected
    await expect(link.get()).rejects.toThrow('no 1')
    await pass(49)
    expect(dials).toHaveLength(1)
    await pass(1)
    expect(dials).toHaveLength(2)
    await opens('b')
    expect(await link.get()).toBe('b')
  })

  test('lets who comes after a loss wait for the next try, and backs off while it is lost again and again', async () => {
    const { link, dials, opens, pass } = bench()
    void link.get()
    await opens('a')
    const waits: number[] = []
    for (const value of ['b', 'c', 'd']) {
      dials.at(-1)?.line.lost(outage('gone'))
      const next = link.get()
      const before = dials.length
      let waited = 0
      for (; dials.length === before; waited += 10) await pass(10)
      waits.push(waited)
      await opens(value)
      expect(await next).toBe(value)
    }
    expect(waits).toEqual([50, 100, 200])
    await pass(5_001)
    dials.at(-1)?.line.lost(outage('gone'))
    await pass(50)
    expect(dials, 'what held for a while begins anew').toHaveLength(5)
  })

  test('hears nothing from what it has lost already', async () => {
    const { link, dials, opens, pass } = bench()
    void link.get()
    await opens('a')
    dials[0]?.line.lost(outage('gone'))
    await pass(50)
    await opens('b')
    dials[0]?.line.lost(outage('again'))
    dials[0]?.line.blocked('alarm')
    expect([link.state, link.value]).toEqual(['open', 'b'])
  })

  test('that is told of a loss before it is open counts a failed try, and closes what came too late', async () => {
    const { link, dials, closed, opens } = bench()
    const waiting = expect(link.get()).rejects.toThrow('early')
    dials[0]?.line.lost(outage('early'))
    await waiting
    await opens('late')
    expect([link.state, closed]).toEqual(['waiting', ['late']])
  })

  test('hurries when it is told that what it waits for has come', async () => {
    const { link, dials, fails } = bench()
    link.get().catch(() => {})
    await fails('no')
    link.hurry()
    expect(dials).toHaveLength(2)
  })

  test('is blocked and open again, and says by what', async () => {
    const { link, dials, opens } = bench()
    void link.get()
    await opens('a')
    dials[0]?.line.blocked('low on memory')
    expect([link.state, link.blockedBy, link.value]).toEqual(['blocked', 'low on memory', 'a'])
    dials[0]?.line.unblocked()
    expect([link.state, link.blockedBy]).toEqual(['open', undefined])
  })

  test('closes at any moment, twice, and gives nothing afterwards', async () => {
    const idle = bench()
    await idle.link.close()
    await expect(idle.link.get()).rejects.toMatchObject({ code: 'BROKER_CLOSED' })

    const dialling = bench()
    const waiting = expect(dialling.link.get()).rejects.toMatchObject({ code: 'BROKER_CLOSED' })
    await dialling.link.close()
    await waiting
    await dialling.opens('late')
    expect(dialling.closed).toEqual(['late'])

    const open = bench()
    void open.link.get()
    await open.opens('a')
    await Promise.all([open.link.close(), open.link.close()])
    expect(open.closed).toEqual(['a'])
    open.dials[0]?.line.lost(outage('late'))
    await open.pass(10_000)
    expect([open.link.state, open.dials.length]).toEqual(['closed', 1])
  })
})
