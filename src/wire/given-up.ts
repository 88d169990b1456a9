import { ObverseError } from '../errors.ts'
import { decode, readEnvelope } from '../message/codec.ts'
import type { Delivery } from '../message/delivery.ts'
import type { Envelope } from '../message/envelope.ts'
import type { Registry } from '../message/registry.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { outageDelay } from '../runtime/retry.ts'
import type { Broker, GivenUp, Subscription } from './broker.ts'
import { codeOf, reasonOf } from './failure.ts'
import type { HeldRows } from './held.ts'
import type { Inbox } from './inbox.ts'
import type { Router } from './router.ts'
import type { Subscriber } from './subscriber.ts'

export interface GivenUpDependencies {
  readonly runtime: Runtime
  readonly observe: Observer
  readonly registry: Registry
  readonly router: Router
  readonly broker: Broker
  readonly inbox: Inbox
  readonly held: HeldRows
}

/**
 * Takes back what a broker gave up by itself, because it had delivered it too often: neighbours of a message that ends its
 * process are counted with it. Our own attempts decide: a message of which none is recorded goes back to its lane, as a held row
 * (not to its queue, where it would come behind its successors); of the others it is known that their handler began, and they
 * are dead letters.
 */
export interface GivenUpDrain {
  start(): void
  stop(): Promise<void>
}

export function createGivenUpDrain(dependencies: GivenUpDependencies): GivenUpDrain {
  const { runtime, observe, broker } = dependencies
  let leaving = new AbortController()
  let subscribed: Promise<Subscription | undefined> | undefined

  const take = async (message: GivenUp): Promise<void> => {
    for (let tries = 1; !leaving.signal.aborted; tries += 1) {
      try {
        await keep(dependencies, message)
        return
      } catch (error) {
        observe({ step: 'failed', part: 'given-up messages', error })
        await sleep(runtime, outageDelay(tries, runtime.random), leaving.signal)
      }
    }
    // not settled: it stays where the broker put it
    throw new ObverseError('STORE_CLOSED', 'The process stops before a message that its broker gave up could be kept')
  }
  const subscribe = async (signal: AbortSignal): Promise<Subscription | undefined> => {
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        return await broker.givenUp?.(take)
      } catch (error) {
        observe({ step: 'failed', part: 'given-up messages', error })
        await sleep(runtime, outageDelay(tries, runtime.random), signal)
      }
    }
    return undefined
  }
  return {
    start() {
      if (!broker.givenUp || subscribed) return
      leaving = new AbortController()
      subscribed = subscribe(leaving.signal)
    },
    async stop() {
      leaving.abort()
      const subscription = await subscribed
      subscribed = undefined
      await subscription?.close()
    },
  }
}

async function keep(dependencies: GivenUpDependencies, { channel, body, reason }: GivenUp): Promise<void> {
  const { registry, router, held, inbox, observe } = dependencies
  let envelope: Envelope
  let subscribers: readonly Subscriber[]
  try {
    envelope = decode(body, registry).envelope
    subscribers = router.subscribers(channel, envelope.type)
    if (subscribers.length === 0) {
      throw new ObverseError(
        'MESSAGE_TYPE_UNKNOWN',
        `Nothing on channel ${channel} takes ${envelope.type} here; the broker gave it up: ${reason}`,
      )
    }
  } catch (error) {
    await held.refuse({ channel, body, code: codeOf(error), reason: reasonOf(error), ...named(body) })
    return
  }
  for (const subscriber of subscribers) {
    const { name: handler, ordered, tracked } = subscriber
    const attempts = await inbox.attempts(envelope.id, handler)
    const delivery: Delivery = { envelope, body, channel, handler, ordered, attempts }
    if (attempts === 0) {
      await held.join([delivery])
      continue
    }
    const code = 'BROKER_GAVE_UP'
    const says = `The broker delivered it too often (${reason}), and ${handler} had begun with it ${attempts} times`
    await held.hold(delivery, { attempts, code, reason: says, detail: says, ...(tracked && { tracked }) })
    observe({ step: 'dead', type: envelope.type, messageId: envelope.id, channel, handler, code, reason: says })
  }
}

function named(body: string): { messageId?: string; type?: string } {
  try {
    const { id, type } = readEnvelope(body)
    return { messageId: id, type }
  } catch {
    return {}
  }
}
