import type { Registry } from '../message/registry.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Finding } from '../runtime/health.ts'
import type { Loop } from '../runtime/loop.ts'
import type { Observer } from '../runtime/observer.ts'
import type { Broker } from './broker.ts'
import type { DeadLetters } from './dead-letter.ts'
import type { Inbox } from './inbox.ts'
import type { Outbox } from './outbox.ts'
import type { Positions } from './positions.ts'
import { createPublisher } from './publisher.ts'
import { reclaim } from './reclaim.ts'
import type { Router } from './router.ts'
import { createWatch } from './watch.ts'
import { watchedLoop } from './watched-loop.ts'

export interface RelayDependencies {
  readonly runtime: Runtime
  readonly observe: Observer
  readonly registry: Registry
  /** Says who here takes what was refused elsewhere. */
  readonly router: Router
  readonly broker: Broker
  readonly outbox: Outbox
  /** Absent where commits know positions. */
  readonly positions?: Positions
  readonly inbox: Inbox
  readonly deadLetters: DeadLetters
  /** What grows worse in the store while nobody looks. */
  readonly alarms?: () => Promise<readonly Finding[]>
  /** Under which this process claims outbox rows. */
  readonly owner: string
  /** Milliseconds inbox marks are kept. */
  readonly remember: number
  /** Messages of one claim. Default 500. */
  readonly batch?: number
}

/**
 * Moves what was committed on its way: a loop that stamps positions, a loop that publishes (where the broker does
 * not share the store), a slow look at what is alarming, and slower housekeeping. Any number of processes may run one.
 */
export interface Relay {
  start(): void
  /** Something was committed. */
  wake(): void
  /** Starts nothing new and waits for the broker's outstanding answers. */
  stop(): Promise<void>
  /** One full round: stamp, publish, tidy. Returns how many things were done. */
  step(): Promise<number>
}

const STAMPS = 1_000
const PURGES = 1_000
const LOOK = 500
const TIDY = 60_000
const WATCH = 10_000

export function createRelay(dependencies: RelayDependencies): Relay {
  const { runtime, observe, broker, positions, inbox, remember } = dependencies
  const publisher = broker.sharesStore ? undefined : createPublisher(dependencies, () => publishing?.wake())

  const stamp = async (): Promise<number> => {
    if (!positions) return 0
    const count = await positions.stamp(STAMPS)
    if (count > 0) {
      observe({ step: 'stamped', count })
      publishing?.wake()
    }
    return count
  }
  const purge = async (): Promise<number> => inbox.purge(runtime.now() - remember, PURGES)

  const loop = (name: string, idle: number, step: () => Promise<boolean>): Loop =>
    watchedLoop({ name: `relay ${name}`, idle, step, runtime, observe })
  const stamping = positions && loop('stamping', LOOK, async () => (await stamp()) === STAMPS)
  const publishing = publisher && loop('publishing', LOOK, publisher.step)
  const housekeeping = loop('housekeeping', TIDY, async () => {
    await reclaim(dependencies)
    return (await purge()) === PURGES
  })
  const watching = dependencies.alarms && loop('watching', WATCH, createWatch(dependencies.alarms, observe))
  return {
    start() {
      stamping?.start()
      publishing?.start()
      housekeeping.start()
      watching?.start()
      observe({
        step: 'started',
        part: 'relay',
        detail: publisher ? `publishes to ${broker.name}` : 'shares the store',
      })
    },
    wake() {
      stamping?.wake()
      publishing?.wake()
    },
    async stop() {
      const ran = housekeeping.running
      await Promise.all([stamping?.stop(), publishing?.stop(), housekeeping.stop(), watching?.stop()])
      await publisher?.settled()
      if (ran) observe({ step: 'stopped', part: 'relay', reason: 'stopped' })
    },
    async step() {
      let done = 0
      for (let count = await stamp(); count > 0; count = await stamp()) done += count
      if (publisher) done += await publisher.drain()
      done += await reclaim(dependencies)
      await purge()
      return done
    },
  }
}
