import { ObverseError } from '../errors.ts'
import { sleep } from '../runtime/clock.ts'
import { type Batch, createBatch } from './batch.ts'
import { createBreaker } from './breaker.ts'
import type { BrokerDelivery } from './broker.ts'
import type { Channel } from './channel.ts'
import { createConnection } from './connection.ts'
import { createDeadlines } from './deadline.ts'
import { dispatch } from './dispatch.ts'
import { type Item, itemOf, type Takers, takersOf } from './item.ts'
import { createLanes, type Lanes } from './lanes.ts'
import { reclaim } from './reclaim.ts'
import { createRelease, type Release } from './release.ts'
import { type ConsumerDependencies, insist, type Session } from './session.ts'
import type { Slots } from './slots.ts'
import type { Tally } from './tally.ts'
import { watchedLoop } from './watched-loop.ts'

/** Milliseconds handlers get to notice that they were aborted, once the drain time is over. */
const LAST_WORDS = 1_000
/** Milliseconds between looks for what others refused. */
const RECLAIM = 60_000

/** A consumer from its start to its stop. */
export interface Life {
  readonly lanes: Lanes<Item | Batch>
  readonly release: Release
  /** Subscribes. Rejects on a mistake; after an outage it resolves, and goes on trying by itself. */
  connect(): Promise<void>
  /** Starts nothing new. */
  leave(): void
  /** Leaves, lets running work end, gives the rest back. */
  stop(): Promise<void>
}

export function createLife(dependencies: ConsumerDependencies, channel: Channel, slots: Slots, tally: Tally): Life {
  const { runtime, observe, registry, router, broker, inbox, quarantine, drain } = dependencies
  const leaving = new AbortController()
  const part = `consumer ${channel.name}`
  const recordAttempts = !runtime.without?.has('attempt-first')
  const breaker = createBreaker({
    part,
    runtime,
    observe,
    onMended: () => {
      lanes.pump()
      release.due()
    },
  })
  const flows = () => !leaving.signal.aborted && !breaker.tripped
  /** Not counted as started yet, in order of arrival. */
  const unadmitted: Item[] = []
  /**
   * Whoever wants an item admits those that came before it: out of turn, handlers and projections would use up the room
   * on different messages, and each would wait for its other part behind one that may not start any more.
   */
  const admit = (item: Item): boolean => {
    while (!item.admitted && tally.admit()) {
      const next = unadmitted.shift() ?? item
      next.admitted = true
    }
    return item.admitted
  }
  const session: Session = {
    ...dependencies,
    channel,
    breaker,
    deadlines: createDeadlines(runtime),
    tally,
    overdue: false,
    heldDue: (at) => release.due(at),
    endPart(item) {
      item.parts -= 1
      return item.parts === 0
    },
    settle,
  }
  const lanes = createLanes<Item | Batch>({
    concurrency: channel.concurrency,
    slots,
    quarantine,
    flows,
    admit: (work) => ('run' in work ? work.admits() : admit(work)),
    async perform(work) {
      try {
        if (!('run' in work)) await dispatch(session, work)
        else if (await work.run()) lanes.push(work)
      } catch (error) {
        // only a test's fault point or a mistake of ours comes here; the message is not settled and comes again
        observe({ step: 'failed', part, error })
      }
    },
    unordered: runtime.without?.has('lane-order') === true,
  })
  const batches = new Map<string, Batch>()
  for (const subscriber of router.on(channel.name)) {
    if (!subscriber.handleBatch) continue
    batches.set(subscriber.name, createBatch(session, subscriber, admit))
  }
  const push = (item: Item) => {
    unadmitted.push(item)
    if (item.refused !== undefined || item.handlers.length > 0) lanes.push(item)
    if (item.refused !== undefined) return
    for (const { name } of item.batches) {
      const batch = batches.get(name)
      if (batch?.add(item)) lanes.push(batch)
    }
  }
  const release = createRelease(session, push, () => lanes.pump(), flows)
  const takers = new Map<string, Takers>()
  const takersFor = (type: string): Takers => {
    let known = takers.get(type)
    if (!known) {
      known = takersOf(router.subscribers(channel.name, type))
      takers.set(type, known)
    }
    return known
  }

  async function settle(items: readonly Item[]): Promise<void> {
    const rows = items.flatMap(({ settled, abandoned, lost, delivery }) =>
      settled || abandoned || lost || !delivery?.settlement ? [] : [delivery.settlement],
    )
    if (rows.length > 0 && !(await insist(session, items[0] as Item, () => inbox.settle(rows)))) return
    const [only] = items
    if (items.length === 1 && only) await close(only)
    else await Promise.all(items.map(close))
  }

  async function close(item: Item): Promise<void> {
    if (item.abandoned) return
    if (item.delivery) await acknowledge(item.delivery)
    if (item.lost) tally.takeBack()
    else tally.settled()
    release.ended(item)
  }

  /** Not repeated: what could not be acknowledged comes again, and finds its inbox mark. */
  async function acknowledge(delivery: BrokerDelivery): Promise<void> {
    if (runtime.reach) await runtime.reach('ack.before')
    try {
      await delivery.ack()
    } catch (error) {
      observe({ step: 'failed', part, error })
    }
    if (runtime.reach) await runtime.reach('ack.after')
  }

  const take = (deliveries: readonly BrokerDelivery[]) => {
    for (const delivery of deliveries) {
      if (leaving.signal.aborted) return
      const item = itemOf(delivery, channel.name, registry, takersFor, recordAttempts)
      if (item.refused === undefined) {
        const { type, id: messageId } = item.envelope
        const { redelivered } = delivery
        observe({ step: 'received', type, messageId, channel: channel.name, redelivered })
      }
      push(item)
    }
    lanes.pump()
  }
  const prefetch = batches.size > 0 ? Math.max(channel.prefetch, channel.batch) : channel.prefetch
  const connection = createConnection({
    channel,
    part,
    broker,
    runtime,
    observe,
    leaving: leaving.signal,
    options: { prefetch: Math.min(prefetch, Math.max(1, tally.room())), onDeliveries: take },
  })
  let lookedAt = Number.NEGATIVE_INFINITY
  /** An older version may refuse for as long as it runs beside this one. */
  const reclaiming = watchedLoop({
    name: `reclaim ${channel.name}`,
    idle: RECLAIM,
    runtime,
    observe,
    async step() {
      if (runtime.elapsed() < lookedAt + RECLAIM / 2) return false
      await reclaim(dependencies, channel.name)
      lookedAt = runtime.elapsed()
      return false
    },
  })
  const within = async (work: Promise<unknown>, ms: number) => {
    const enough = new AbortController()
    await Promise.race([work, sleep(runtime, ms, enough.signal)])
    enough.abort()
  }
  release.start()
  return {
    lanes,
    release,
    async connect() {
      // before the first message, so that whoever asks whether all is empty sees what comes back
      try {
        await reclaim(dependencies, channel.name)
        lookedAt = runtime.elapsed()
      } catch {
        // the loop tries it again, and reports
      }
      await connection.open()
      if (!leaving.signal.aborted) reclaiming.start()
    },
    leave() {
      leaving.abort()
      breaker.stop()
      lanes.close()
      connection.pause()
    },
    async stop() {
      this.leave()
      await reclaiming.stop()
      await within(lanes.quiet(), drain)
      session.overdue = lanes.running > 0
      if (session.overdue) {
        const reason = new ObverseError(
          'DEPENDENCY_DOWN',
          `The process stops, and ${part} took longer than ${drain} ms`,
        )
        session.deadlines.abort(reason)
        await within(lanes.quiet(), LAST_WORDS)
      }
      session.overdue = true
      session.deadlines.giveUp()
      await release.stop().catch((error: unknown) => observe({ step: 'failed', part, error }))
      await within(connection.close(), LAST_WORDS)
    },
  }
}
