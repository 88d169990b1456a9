import type { ChannelModel, Message } from 'amqplib'
import { bodyOfBytes, ObverseError, type Runtime, sleep } from 'obverse'
import { closeChannel, openChannel } from './amqp-channel.ts'
import { countOf } from './declare.ts'
import { endsWithin } from './time-limit.ts'

export interface PeekQuestion {
  readonly model: ChannelModel
  readonly queues: readonly string[]
  readonly ordered: boolean
  readonly limit: number
  /** A limit is set: a look would count as a delivery. */
  readonly limited: boolean
  readonly runtime: Runtime
}

/** Milliseconds without another message after which no more is expected. */
const SILENCE = 1_000
/** Messages that may have been given back together, at most: more than any consumer takes at once. */
const CAME_BACK = 2_000
/** Of a prefetch. */
const MOST = 65_535

/**
 * Looks at messages by taking them and giving them back, in order, by closing the AMQP channel. On an ordered channel that needs to be its
 * only consumer for that moment, so that nobody gets what comes after them: one that starts meanwhile waits.
 *
 * @throws {ObverseError} `QUEUE_IN_USE` while an ordered channel has a consumer, or where looks are counted against a limit
 */
export async function peek({
  model,
  queues,
  ordered,
  limit,
  limited,
  runtime,
}: PeekQuestion): Promise<readonly string[]> {
  const shown: Message[][] = []
  for (const queue of queues) {
    const { messages = 0, consumers = 0 } = (await countOf(model, queue)) ?? {}
    if (messages === 0 || limit === 0) continue
    if (limited) {
      throw inUse(
        `A look at ${queue} would count as a delivery, against its delivery limit; look at the queue of failed messages instead`,
      )
    }
    if (ordered && consumers > 0) {
      throw inUse(
        `${queue} has ${messages} waiting messages, and a consumer; an ordered queue shows them to nobody else. Stop its consumers first`,
      )
    }
    shown.push(ordered ? await borrow(model, queue, messages, limit, runtime) : await get(model, queue, limit, runtime))
  }
  return merge(shown, limit).map(({ content }) => bodyOfBytes(content))
}

/**
 * Takes more than it shows: what comes back a second time is put behind everything that came back once, so all that did has to be taken, or
 * messages would change places. Behind the first that never came back nothing has.
 */
async function borrow(
  model: ChannelModel,
  queue: string,
  ready: number,
  limit: number,
  runtime: Runtime,
): Promise<Message[]> {
  const amqp = await openChannel(model)
  const shown: Message[] = []
  const expected = Math.min(ready, limit + CAME_BACK)
  let taken = 0
  let untouched = false
  let news = Promise.withResolvers<void>()
  try {
    await amqp.prefetch(Math.min(limit + CAME_BACK, MOST))
    await amqp.consume(queue, (message) => {
      if (!message) return
      taken += 1
      if (!message.fields.redelivered) untouched = true
      if (shown.length < limit) shown.push(message)
      news.resolve()
    })
    const enough = () => taken >= expected || (untouched && shown.length === limit)
    while (!enough() && (await endsWithin(SILENCE, news.promise, runtime))) news = Promise.withResolvers()
  } finally {
    await closeChannel(amqp, runtime)
    await givenBack(model, queue, ready, runtime)
  }
  if (taken === 0) throw inUse(`${queue} has got a consumer at this moment, which takes its messages`)
  return shown
}

/** The queue hears of the end of an AMQP channel a moment after whoever closed it: until then it seems to be empty. */
async function givenBack(model: ChannelModel, queue: string, ready: number, runtime: Runtime): Promise<void> {
  const begin = runtime.elapsed()
  for (let past = 0; past < SILENCE; past = runtime.elapsed() - begin) {
    const { messages, consumers } = (await countOf(model, queue)) ?? { messages: ready, consumers: 0 }
    // our own is counted for a moment, too
    if (messages >= ready || (consumers > 0 && past > SILENCE / 5)) return
    await sleep(runtime, 5)
  }
}

async function get(model: ChannelModel, queue: string, count: number, runtime: Runtime): Promise<Message[]> {
  const amqp = await openChannel(model)
  const came: Message[] = []
  try {
    while (came.length < count) {
      const message = await amqp.get(queue)
      if (!message) break
      came.push(message)
    }
  } finally {
    await closeChannel(amqp, runtime)
  }
  return came
}

/** Each queue in its order, and between them the oldest first as far as ids tell: ours begin with the time. */
function merge(queues: readonly Message[][], limit: number): readonly Message[] {
  const merged: Message[] = []
  const left = queues.filter(({ length }) => length > 0)
  while (merged.length < limit && left.length > 0) {
    const oldest = left.reduce((best, queue) => (idOf(queue) < idOf(best) ? queue : best))
    merged.push(oldest.shift() as Message)
    if (oldest.length === 0) left.splice(left.indexOf(oldest), 1)
  }
  return merged
}

function idOf([first]: readonly Message[]): string {
  return String(first?.properties.messageId ?? '')
}

function inUse(message: string): ObverseError {
  return new ObverseError('QUEUE_IN_USE', message)
}
