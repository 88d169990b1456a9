import { kindOf } from '../errors.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { outageDelay } from '../runtime/retry.ts'
import type { Broker, ChannelDeclaration, SubscribeOptions, Subscription } from './broker.ts'

/** A consumer's subscription, which is made again until it succeeds. */
export interface Connection {
  /** Resolves after the first try, whether it met an outage or not. @throws the error of a first try that is a mistake */
  open(): Promise<void>
  pause(): void
  close(): Promise<void>
}

export interface ConnectionOptions {
  readonly channel: ChannelDeclaration
  readonly part: string
  readonly broker: Broker
  readonly runtime: Runtime
  readonly observe: Observer
  /** Aborted when the consumer leaves. */
  readonly leaving: AbortSignal
  readonly options: Pick<SubscribeOptions, 'prefetch' | 'onDeliveries'>
}

export function createConnection(given: ConnectionOptions): Connection {
  const { channel, part, broker, runtime, observe, leaving, options } = given
  const onError = (error: unknown) => observe({ step: 'failed', part, error })
  let subscription: Subscription | undefined
  let connecting: Promise<void> | undefined

  const subscribe = async () => {
    await broker.declare([channel])
    const made = await broker.subscribe(channel.name, { ...options, onError })
    subscription = made
    if (leaving.aborted) await made.close()
  }
  const goOn = async () => {
    for (let tries = 1; !subscription && !leaving.aborted; tries += 1) {
      await sleep(runtime, outageDelay(tries, runtime.random), leaving)
      if (!leaving.aborted) await subscribe().catch(onError)
    }
  }
  return {
    async open() {
      connecting = subscribe()
      const left = new Promise<void>((resolve) => {
        leaving.addEventListener('abort', () => resolve(), { once: true })
      })
      try {
        await Promise.race([connecting, left])
      } catch (error) {
        if (kindOf(error) !== 'outage') {
          connecting = undefined
          throw error
        }
        onError(error)
        connecting = goOn()
      }
    },
    pause: () => subscription?.pause(),
    async close() {
      try {
        await connecting
        await subscription?.close()
      } catch (error) {
        onError(error)
      }
    },
  }
}
