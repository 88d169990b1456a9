import { isObverseError } from '../errors.ts'
import type { Delivery } from '../message/delivery.ts'
import { crashLoop, reportFailure } from './dispatch.ts'
import { failureOf, verdictOf } from './failure.ts'
import type { Failure, HeldRow, Lane } from './held.ts'
import { deliveryOf, type Item } from './item.ts'
import { insist, type Session } from './session.ts'
import type { BatchOutcome, BatchSubscriber } from './subscriber.ts'

/** Runs until something is known of every item; returns those that were not put back. */
export async function handOver(
  session: Session,
  subscriber: BatchSubscriber,
  items: readonly Item[],
  putBack: (items: readonly Item[]) => void,
  beCareful: () => void,
): Promise<readonly Item[]> {
  let taken = items
  if (taken[0]?.suspect) {
    const [head, ...rest] = taken as [Item, ...Item[]]
    let attempts = 0
    const recorded = await insist(session, head, async () => {
      attempts = (head.held?.attempts ?? 0) + (await session.inbox.attempt(head.envelope.id, subscriber.name))
    })
    if (!recorded) return abandon(taken)
    if (attempts > 1) {
      beCareful()
      putBack(rest)
      taken = [head]
    }
    if (attempts > subscriber.retry.retries + 1) {
      await hold(session, subscriber, head, crashLoop(attempts - 1, subscriber))
      return taken
    }
  }
  const free = await joinHeld(session, subscriber, taken)
  if (free.length === 0) return taken
  const started = session.runtime.elapsed()
  const outcome = await apply(session, subscriber, free)
  if (!outcome) {
    abandon(free)
    return taken
  }
  await conclude(session, subscriber, free, outcome, session.runtime.elapsed() - started)
  return taken
}

/** Those whose lane has held rows go behind them; the others are returned. */
async function joinHeld(
  session: Session,
  subscriber: BatchSubscriber,
  items: readonly Item[],
): Promise<readonly Item[]> {
  const { held, runtime } = session
  if (!subscriber.ordered || runtime.without?.has('held-lane')) return items
  const keys = new Set<string>()
  for (const { held: head, envelope } of items) if (!head && envelope.key !== null) keys.add(envelope.key)
  if (keys.size === 0) return items
  const lanes: Lane[] = Array.from(keys, (key) => ({ handler: subscriber.name, key }))
  let blocked: readonly Lane[] = []
  const by = items[0] as Item
  const asked = await insist(session, by, async () => {
    blocked = await held.blocked(lanes)
  })
  if (!asked) {
    abandon(items)
    return []
  }
  if (blocked.length === 0) return items
  const stopped = new Set(blocked.map(({ key }) => key))
  const waits = (item: Item) => !item.held && item.envelope.key !== null && stopped.has(item.envelope.key)
  await join(session, subscriber, items.filter(waits))
  return items.filter((item) => !waits(item))
}

/** `undefined`: the consumer leaves, and nothing is known. */
async function apply(
  session: Session,
  subscriber: BatchSubscriber,
  items: readonly Item[],
): Promise<BatchOutcome | undefined> {
  const { breaker, quarantine, runtime } = session
  const by = items[0] as Item
  const deliveries = items.map((item) => partOf(session, subscriber, item))
  for (let tripped = false; ; tripped = true) {
    try {
      const outcome = await run(session, subscriber, deliveries)
      if (tripped) breaker.mend(by)
      return outcome
    } catch (error) {
      if (session.overdue) return undefined
      // slow counts as unreachable: how far the batch has come is not known, and rows refuse what they have seen
      if (verdictOf(error, runtime) !== 'outage' && !isObverseError(error, 'HANDLER_TOO_SLOW')) {
        if (tripped) breaker.mend(by)
        if (deliveries.length === 1) return { failed: [{ delivery: deliveries[0] as Delivery, error }], behind: [] }
        return oneByOne(session, subscriber, items)
      }
      if (by.suspect) await session.inbox.forgive(by.envelope.id, subscriber.name).catch(() => {})
      const mended = breaker.trip(by, error)
      if (by.suspect) quarantine.leave()
      const again = await mended
      if (by.suspect) await quarantine.enter()
      if (!again) return undefined
    }
  }
}

/** A batch that fails as a whole has one message in it that does: alone, it can be named. */
async function oneByOne(
  session: Session,
  subscriber: BatchSubscriber,
  items: readonly Item[],
): Promise<BatchOutcome | undefined> {
  const failed: BatchOutcome['failed'][number][] = []
  const behind: Delivery[] = []
  const stopped = new Set<string>()
  for (const item of items) {
    const { key } = item.envelope
    if (subscriber.ordered && key !== null && stopped.has(key)) {
      behind.push(partOf(session, subscriber, item))
      continue
    }
    const outcome = await apply(session, subscriber, [item])
    if (!outcome) return undefined
    failed.push(...outcome.failed)
    behind.push(...outcome.behind)
    if (outcome.failed.length > 0 && key !== null) stopped.add(key)
  }
  return { failed, behind }
}

function run(session: Session, subscriber: BatchSubscriber, deliveries: readonly Delivery[]): Promise<BatchOutcome> {
  const { channel, deadlines } = session
  return deadlines.run(channel.timeout, subscriber.name, (signal) => subscriber.handleBatch(deliveries, signal))
}

/** Failures are held, what is behind them joins, held rows that were handled go. */
async function conclude(
  session: Session,
  subscriber: BatchSubscriber,
  items: readonly Item[],
  { failed, behind }: BatchOutcome,
  ms: number,
): Promise<void> {
  const { runtime, held, owner, observe, channel, inbox } = session
  const byId = new Map(items.map((item) => [item.envelope.id, item]))
  const done = new Set(items)
  for (const { delivery, error } of failed) {
    const item = byId.get(delivery.envelope.id)
    if (!item || !done.delete(item)) continue
    const attempts = Math.max(item.held?.attempts ?? 0, delivery.attempts) + 1
    await hold(session, subscriber, item, failureOf(error, attempts, subscriber, runtime))
  }
  const later: Item[] = []
  for (const { envelope } of behind) {
    const item = byId.get(envelope.id)
    if (item && done.delete(item)) later.push(item)
  }
  if (later.length > 0) await join(session, subscriber, later)
  const heads = [...done].filter((item) => item.held)
  if (heads.length > 0) {
    const ids = heads.map((item) => (item.held as HeldRow).heldId)
    if (!(await insist(session, heads[0] as Item, () => held.done(owner, ids)))) abandon(heads)
  }
  const [first] = done
  if (first?.suspect) await inbox.forgive(first.envelope.id, subscriber.name).catch(() => {})
  for (const { envelope } of done) {
    const { type, id: messageId } = envelope
    const { name: handler } = subscriber
    observe({ step: 'handled', type, messageId, channel: channel.name, handler, ms, outcome: 'committed' })
  }
}

async function hold(session: Session, subscriber: BatchSubscriber, item: Item, failure: Failure): Promise<void> {
  const delivery = { ...partOf(session, subscriber, item), attempts: failure.attempts }
  if (!(await insist(session, item, () => session.held.hold(delivery, failure)))) {
    item.abandoned = true
    return
  }
  if (delivery.settlement) item.settled = true
  reportFailure(session, item, subscriber, failure)
}

async function join(session: Session, subscriber: BatchSubscriber, items: readonly Item[]): Promise<void> {
  const deliveries = items.map((item) => partOf(session, subscriber, item))
  if (!(await insist(session, items[0] as Item, () => session.held.join(deliveries)))) {
    abandon(items)
    return
  }
  for (const item of items) {
    if (alone(item)) item.settled = true
    const { type, id: messageId } = item.envelope
    const { name: handler } = subscriber
    const channel = session.channel.name
    session.observe({ step: 'handled', type, messageId, channel, handler, ms: 0, outcome: 'held' })
  }
}

function partOf(session: Session, subscriber: BatchSubscriber, item: Item): Delivery {
  return deliveryOf(item, subscriber, session.channel.name, item.held?.attempts ?? 0, alone(item))
}

/** Nobody else takes this message, so its queue row can go with its held row. */
function alone({ batches, handlers }: Item): boolean {
  return batches.length === 1 && handlers.length === 0
}

function abandon(items: readonly Item[]): readonly Item[] {
  for (const item of items) item.abandoned = true
  return items
}
