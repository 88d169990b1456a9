import { ObverseError } from '../errors.ts'
import { codeOf, failureOf, isRefusal, reasonOf, verdictOf } from './failure.ts'
import type { Failure } from './held.ts'
import { deliveryOf, type Item } from './item.ts'
import { insist, type Session } from './session.ts'
import type { HandlerSubscriber, Subscriber } from './subscriber.ts'

/**
 * Runs the handlers of one message, one after the other. Each has a transaction of its own; the last one takes the
 * queue row away with it, so that a crash in between repeats only what is missing (the others have inbox marks).
 */
export async function dispatch(session: Session, item: Item): Promise<void> {
  if (item.refused !== undefined) await refuse(session, item)
  const { handlers } = item
  const last = item.batches.length === 0 ? handlers.length - 1 : -1
  for (let place = 0; place < handlers.length && !item.abandoned && !item.lost; place += 1) {
    await runToEnd(session, item, handlers[place] as HandlerSubscriber, place === last)
  }
  if (session.endPart(item)) await session.settle([item])
}

/** Keeps bytes that are no message. Nothing waits behind them; a held row that was edited badly is dead again. */
async function refuse(session: Session, item: Item): Promise<void> {
  const { held, channel, observe } = session
  const { refused, body, envelope, delivery } = item
  const code = codeOf(refused)
  const reason = reasonOf(refused)
  const subscriber: Subscriber | undefined = item.handlers[0] ?? item.batches[0]
  const kept = await insist(session, item, () => {
    if (item.held && subscriber) {
      const failure = { attempts: item.held.attempts, code, reason, detail: reason, tracked: subscriber.tracked }
      return held.hold(deliveryOf(item, subscriber, channel.name, item.held.attempts, false), failure)
    }
    return held.refuse({
      channel: channel.name,
      body,
      code,
      reason,
      ...(delivery?.settlement && { settlement: delivery.settlement }),
      ...(envelope.id && { messageId: envelope.id }),
      ...(envelope.type && { type: envelope.type }),
    })
  })
  if (kept) {
    item.settled = true
    session.tally.failed()
    const { type, id: messageId } = envelope
    observe({ step: 'dead', type, messageId, channel: channel.name, handler: subscriber?.name ?? '', code, reason })
  } else item.abandoned = true
}

/** Repeats a handler while outages stop it; they cost no attempt. */
async function runToEnd(session: Session, item: Item, subscriber: HandlerSubscriber, settles: boolean): Promise<void> {
  const { breaker, quarantine } = session
  for (let met = false; ; met = true) {
    const outage = await attempt(session, item, subscriber, settles)
    if (!outage) {
      if (met) breaker.mend(item)
      return
    }
    // an outage may take long, and those of other channels that were redelivered should not wait for it
    const tripped = breaker.trip(item, outage.error)
    if (item.suspect) quarantine.leave()
    const again = await tripped
    if (item.suspect) await quarantine.enter()
    if (!again) {
      item.abandoned = true
      return
    }
  }
}

async function attempt(
  session: Session,
  item: Item,
  subscriber: HandlerSubscriber,
  settles: boolean,
): Promise<{ readonly error: unknown } | undefined> {
  const { runtime, observe, inbox, channel, deadlines } = session
  const { id: messageId, type } = item.envelope
  const { name: handler } = subscriber
  const before = item.held?.attempts ?? 0
  let number = before + 1
  if (item.suspect) {
    try {
      number = before + (await inbox.attempt(messageId, handler))
    } catch (error) {
      return { error }
    }
    if (number > subscriber.retry.retries + 1) {
      await hold(session, item, subscriber, settles, crashLoop(number - 1, subscriber), false)
      return undefined
    }
  }
  const delivery = deliveryOf(item, subscriber, channel.name, number - 1, settles)
  observe({ step: 'handling', type, messageId, channel: channel.name, handler, attempt: number })
  const started = runtime.elapsed()
  try {
    const outcome = await deadlines.run(subscriber.timeout ?? channel.timeout, handler, (signal) =>
      subscriber.handle(delivery, signal),
    )
    if (settles) item.settled = true
    if (outcome === 'lost') item.lost = true
    const ms = runtime.elapsed() - started
    observe({ step: 'handled', type, messageId, channel: channel.name, handler, ms, outcome })
  } catch (error) {
    if (session.overdue) {
      item.abandoned = true
      // cut off by an orderly stop: the message did not do it
      if (item.suspect) await inbox.forgive(messageId, handler).catch(() => {})
    } else if (verdictOf(error, runtime) === 'outage') {
      // if this fails too, the attempt stays counted: the store is what is down, and nothing was run
      if (item.suspect) await inbox.forgive(messageId, handler).catch(() => {})
      return { error }
    } else {
      const failure = failureOf(error, number, subscriber, runtime)
      await hold(session, item, subscriber, settles, failure, subscriber.tracked && isRefusal(error))
    }
  }
  return undefined
}

/** Puts a failed message among the held rows, and says when it is tried again. */
async function hold(
  session: Session,
  item: Item,
  subscriber: HandlerSubscriber,
  settles: boolean,
  failure: Failure,
  refused: boolean,
): Promise<void> {
  const { held, channel } = session
  const delivery = deliveryOf(item, subscriber, channel.name, failure.attempts, settles)
  // a refused command has its answer and has changed nothing: no later message has to wait for it
  const row = refused ? { ...delivery, ordered: false } : delivery
  if (!(await insist(session, item, () => held.hold(row, failure)))) {
    item.abandoned = true
    return
  }
  if (settles) item.settled = true
  reportFailure(session, item, subscriber, failure)
}

export function reportFailure(session: Session, item: Item, { name: handler }: Subscriber, failure: Failure): void {
  const { id: messageId, type } = item.envelope
  const { attempts: attempt, code, reason, retryAt } = failure
  session.tally.failed()
  if (retryAt === undefined) {
    session.observe({ step: 'dead', type, messageId, channel: session.channel.name, handler, code, reason })
    // of a lane that is not ordered, or of a refused command: the next may run
    session.heldDue()
    return
  }
  session.heldDue(retryAt)
  const inMs = Math.max(0, retryAt - session.runtime.now())
  session.observe({ step: 'retrying', type, messageId, handler, attempt, inMs, reason })
}

export function crashLoop(attempts: number, { name, tracked }: Subscriber): Failure {
  const error = new ObverseError(
    'CRASH_LOOP',
    `The process ended ${attempts} times while ${name} had this message; find out why, then retry or skip it`,
  )
  return { attempts, code: error.code, reason: error.message, detail: error.message, ...(tracked && { tracked }) }
}
