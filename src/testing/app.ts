import { type AnyHandler, type App, type AppOptions, createApp, type QueryHandler } from 'obverse'
import { memory } from 'obverse/memory'
import { drain } from './drain.ts'
import { type Recorder, recorder } from './recorder.ts'
import { type TestRuntime, testRuntime } from './runtime.ts'

export interface TestApp<H = AnyHandler> {
  readonly app: App<H>
  readonly runtime: TestRuntime
  readonly recorded: Recorder
  /** Everything that is due now, and what follows from it. */
  drain(): Promise<number>
  /** Lets time pass, and does what became due. */
  advance(ms: number): Promise<number>
}

export type TestAppOptions<H extends readonly (AnyHandler | QueryHandler)[]> = Omit<
  AppOptions<H>,
  'store' | 'runtime'
> &
  Partial<Pick<AppOptions<H>, 'store'>> & { readonly runtime?: TestRuntime }

/**
 * A whole application in memory, on a clock that stands still until the test moves it.
 *
 * @example
 * const { app, drain, recorded } = testApp({ handlers: [placeOrder, mailOnPlaced] })
 * await app.send(PlaceOrder({ orderId, lines }))
 * await drain()
 * assert.ok(recorded.handled('orders.placed', 1))
 */
export function testApp<const H extends readonly (AnyHandler | QueryHandler)[]>(
  options: TestAppOptions<H>,
): TestApp<H[number]> {
  const runtime = options.runtime ?? testRuntime()
  const recorded = recorder()
  const composed = {
    ...options,
    store: options.store ?? memory(),
    runtime,
    observe: [recorded, ...(options.observe ?? [])],
  }
  const app = createApp(composed as unknown as AppOptions<H>)
  return {
    app,
    runtime,
    recorded,
    drain: () => drain(app),
    async advance(ms) {
      await runtime.advance(ms)
      return drain(app)
    },
  }
}
