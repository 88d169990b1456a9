import type { Channel } from './channel.ts'
import { createLife, type Life } from './life.ts'
import type { ConsumerDependencies } from './session.ts'
import { createSlots, type Slots } from './slots.ts'
import { createTally, type Tally } from './tally.ts'

/**
 * Takes the messages of one channel to their handlers: in order within a key, keys side by side, each settled once.
 * Starts and stops at any moment, twice too, and heals by itself while it runs.
 */
export interface Consumer {
  readonly channel: Channel
  /** Resolves when messages can come. An outage does not reject it: the consumer goes on trying. */
  start(): Promise<void>
  /** Something was committed: held rows may be due. Cheap. */
  wake(): void
  /** Starts nothing new, finishes what runs, settles it, gives the rest back in order. */
  stop(reason?: string): Promise<void>
  /** True when nothing that it has taken is open. */
  readonly idle: boolean
  /** True when nothing is queued, running or due. */
  empty(): Promise<boolean>
  /**
   * Handles everything that is available now and returns how many messages that were; for tests. A consumer that is
   * not started is, for as long as it takes.
   */
  step(): Promise<number>
}

export interface ConsumerOptions {
  /** Shared room; default: as much as the channel's concurrency. */
  readonly slots?: Slots
  readonly tally?: Tally
}

/** Turns of the event loop without any progress after which what is left is somebody else's. */
const STILL = 10_000

export function createConsumer(
  dependencies: ConsumerDependencies,
  channel: Channel,
  options: ConsumerOptions = {},
): Consumer {
  const { broker, runtime, observe, router, held } = dependencies
  const { slots = createSlots(channel.concurrency), tally = createTally() } = options
  const subscribers = router.on(channel.name)
  const names = subscribers.map((subscriber) => subscriber.name)
  const part = `consumer ${channel.name}`
  let life: Life | undefined
  /** Starts and stops happen one after the other, whenever they are asked for. */
  let last: Promise<unknown> = Promise.resolve()
  let up: Promise<void> | undefined
  let down: Promise<void> | undefined

  const then = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
  const begin = async (): Promise<void> => {
    life = createLife(dependencies, channel, slots, tally)
    try {
      await life.connect()
    } catch (error) {
      up = undefined
      await end('failed')
      throw error
    }
    const types = new Set(subscribers.flatMap((subscriber) => [...subscriber.types]))
    observe({ step: 'started', part, detail: [...types].join(', ') })
  }
  const end = async (reason: string): Promise<void> => {
    await life?.stop()
    life = undefined
    observe({ step: 'stopped', part, reason })
  }
  const consumer: Consumer = {
    channel,
    start() {
      if (up) return up
      down = undefined
      up = then(begin)
      return up
    },
    wake: () => life?.release.hint(),
    stop(reason = 'stopped') {
      if (down) return down
      if (!up) return last.then(() => {})
      up = undefined
      life?.leave()
      down = then(() => end(reason))
      return down
    },
    get idle() {
      return life === undefined || (life.lanes.open === 0 && !life.release.busy)
    },
    async empty() {
      if (!consumer.idle) return false
      const stats = await broker.stats()
      if (stats.some((one) => one.channel === channel.name && one.messages > 0)) return false
      const due = await held.nextDue(names)
      return consumer.idle && (due === undefined || due > runtime.now())
    },
    async step() {
      const before = tally.counts.settled
      const wasStarted = up !== undefined
      await consumer.start()
      life?.release.due()
      let seen = before
      for (let still = 0; still < STILL; still += 1) {
        await nextTurn()
        if (tally.counts.settled !== seen) {
          seen = tally.counts.settled
          still = 0
        }
        if ((still < 10 || still % 100 === 0) && (await consumer.empty())) break
        if (life && life.lanes.running > 0) {
          await life.lanes.quiet()
          still = 0
        }
      }
      if (!wasStarted) await consumer.stop('drained')
      return tally.counts.settled - before
    },
  }
  return consumer
}

/** Lets everything that is ready go first. Not a wait: no time has to pass. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
