import { command, createApp, handle, type Step, unchecked } from 'obverse'
import { afterEach, expect, test, vi } from 'vitest'
import { observers } from '../../src/runtime/observer.ts'
import { stores } from '../paths/stores.ts'

const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
afterEach(() => {
  warning.mockClear()
})

test('an observer that throws is warned of once, and the others are told all the same', async () => {
  const told: string[] = []
  const observe = observers([
    () => {
      throw new Error('a bad day')
    },
    async () => {
      throw new Error('later')
    },
    ({ step }) => told.push(step),
  ])
  for (const part of ['a', 'b']) observe({ step: 'recovered', part })
  await new Promise((resolve) => setImmediate(resolve))
  expect(told).toEqual(['recovered', 'recovered'])
  expect(warning.mock.calls.map(([text]) => text)).toEqual([
    expect.stringMatching(/threw at the step recovered.*a bad day/s),
    expect.stringMatching(/threw at the step recovered.*later/s),
  ])
})

const Work = command('work', unchecked<{ n: number }>())

test.each(
  stores.flatMap(([name, store]) =>
    (['received', 'handling', 'handled', 'retrying', 'dead'] as const).map((step) => ({ name, store, step })),
  ),
)('a message is settled although an observer throws at $step, on $name', async ({ store, step }) => {
  const ran: number[] = []
  const work = handle(Work, { channel: 'work', retry: { retries: 1, delay: 0 } }, ({ n }) => {
    ran.push(n)
    if (n === 2) {
      throw Object.defineProperty({}, 'message', {
        get() {
          throw new Error('not to be read')
        },
      })
    }
  })
  const failing = (one: Step) => {
    if (one.step === step) throw new Error(`no ${step}`)
  }
  const app = createApp({ handlers: [work], store: store(), observe: [failing] })
  for (const n of [1, 2, 3]) await app.send(Work({ n }))
  while ((await app.operate.deadLetters.list()).length === 0) await app.drain()
  expect(ran.toSorted()).toEqual([1, 2, 2, 3])
  expect((await app.operate.channels.list())[0]).toMatchObject({ messages: 0, held: { dead: 1, retry: 0 } })
  expect(warning).toHaveBeenCalledTimes(1)
  await app.stop()
})
