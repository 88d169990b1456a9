import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { outageDelay } from '../runtime/retry.ts'
import type { Broker, PublishOutcome } from './broker.ts'
import { reasonOf } from './failure.ts'
import type { Outbox, OutboxRow } from './outbox.ts'

/** Batches that wait for the broker's answer at once. */
const FLIGHTS = 4
/** Longest wait, milliseconds, before a message that was returned is tried again. */
const LONGEST_RETURN = 30_000
/** Messages whose returns are counted; beyond it counting starts anew. */
const COUNTED = 10_000

/**
 * Takes outbox rows to the broker. A row goes when the broker has confirmed its message, and not before: a message
 * that was returned, or of which nothing is known, stays and is published again under the same id. The store gives
 * the oldest row of each key only, so a key has at most one unconfirmed message; keys go side by side.
 */
export interface Publisher {
  /** Claims a batch and hands it over without waiting for its confirmation. True: more may be there. */
  step(): Promise<boolean>
  /** Publishes until nothing is left that is due. Returns how many were confirmed. */
  drain(): Promise<number>
  /** Resolves when no answer of the broker is outstanding. */
  settled(): Promise<void>
}

export interface PublisherDependencies {
  readonly runtime: Runtime
  readonly observe: Observer
  readonly broker: Broker
  readonly outbox: Outbox
  readonly owner: string
  readonly batch?: number
}

export function createPublisher(dependencies: PublisherDependencies, wake: () => void): Publisher {
  const { runtime, observe, broker, outbox, owner, batch = 500 } = dependencies
  const flights = new Set<Promise<void>>()
  /** What the store has not been told yet, because it was not reachable. */
  const untold: (() => Promise<void>)[] = []
  const returns = new Map<number, number>()
  let outages = 0
  let notBefore = Number.NEGATIVE_INFINITY
  let confirmed = 0
  let timer: { readonly at: number; cancel(): void } | undefined

  const wakeIn = (wait: number) => {
    const at = runtime.elapsed() + wait
    if (timer && timer.at <= at) return
    timer?.cancel()
    const cancel = runtime.after(wait, () => {
      timer = undefined
      wake()
    })
    timer = { at, cancel }
  }
  const tell = async (what: () => Promise<void>) => {
    try {
      await what()
    } catch {
      untold.push(what)
    }
  }
  /** Throws while the store is away, so that the loop backs off. Nothing is claimed meanwhile. */
  const tellUntold = async () => {
    for (let what = untold[0]; what; what = untold[0]) {
      await what()
      untold.shift()
    }
  }
  const failed = async (ids: readonly number[], wait: number, reason: string) => {
    const retryAt = runtime.now() + wait
    await tell(() => outbox.failed(owner, ids, retryAt, reason))
    wakeIn(wait)
  }
  const onOutage = async (rows: readonly OutboxRow[], error: unknown) => {
    outages += 1
    const wait = outageDelay(outages, runtime.random)
    notBefore = runtime.elapsed() + wait
    observe({ step: 'outage', part: `broker ${broker.name}`, reason: reasonOf(error), failures: outages })
    await failed(
      rows.map((row) => row.id),
      wait,
      reasonOf(error),
    )
  }
  const onReturned = async (row: OutboxRow, reason: string) => {
    const count = (returns.get(row.id) ?? 0) + 1
    if (returns.size >= COUNTED) returns.clear()
    returns.set(row.id, count)
    const { messageId, channel } = row
    observe({ step: 'returned', messageId, channel, reason })
    await failed([row.id], outageDelay(count, runtime.random, LONGEST_RETURN), reason)
  }
  const conclude = async (rows: readonly OutboxRow[], outcomes: readonly PublishOutcome[], ms: number) => {
    // by place, not by message id: one message may go to several channels
    const done: number[] = []
    const unknown: number[] = []
    for (const [place, row] of rows.entries()) {
      const outcome = outcomes[place]
      if (outcome?.messageId !== row.messageId) unknown.push(row.id)
      else if (outcome.kind === 'confirmed') done.push(row.id)
      else await onReturned(row, outcome.reason)
    }
    if (unknown.length > 0) await failed(unknown, 50, `${broker.name} did not say what became of it`)
    if (done.length === 0) return
    for (const id of done) returns.delete(id)
    await tell(() => outbox.done(owner, done))
    if (runtime.reach) await runtime.reach('relay.done')
    confirmed += done.length
    observe({ step: 'published', count: done.length, ms })
  }
  const fly = async (rows: readonly OutboxRow[]) => {
    const started = runtime.elapsed()
    if (runtime.without?.has('confirm-first')) {
      await outbox.done(
        owner,
        rows.map((row) => row.id),
      )
      if (runtime.reach) await runtime.reach('relay.done')
    }
    let outcomes: readonly PublishOutcome[]
    try {
      outcomes = await broker.publish(rows)
    } catch (error) {
      await onOutage(rows, error)
      return
    }
    if (outages > 0) observe({ step: 'recovered', part: `broker ${broker.name}` })
    outages = 0
    if (runtime.reach) await runtime.reach('relay.published')
    await conclude(rows, outcomes, runtime.elapsed() - started)
  }
  const launch = (rows: readonly OutboxRow[]) => {
    const flight = fly(rows)
      .catch((error: unknown) => observe({ step: 'failed', part: 'relay publishing', error }))
      .finally(() => {
        flights.delete(flight)
        wake()
      })
    flights.add(flight)
  }
  const next = async (): Promise<readonly OutboxRow[]> => {
    await tellUntold()
    if (flights.size >= FLIGHTS || runtime.elapsed() < notBefore) return []
    const rows = await outbox.claim(owner, batch)
    if (rows.length > 0 && runtime.reach) await runtime.reach('relay.claimed')
    return rows
  }
  const settled = async () => {
    while (flights.size > 0) await Promise.all(flights)
    timer?.cancel()
    timer = undefined
  }
  return {
    async step() {
      const rows = await next()
      if (rows.length > 0) launch(rows)
      return rows.length > 0
    },
    async drain() {
      const before = confirmed
      for (;;) {
        await settled()
        const rows = await next()
        if (rows.length === 0) return confirmed - before
        launch(rows)
      }
    },
    settled,
  }
}
