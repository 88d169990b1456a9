import { ObverseError } from '../errors.ts'
import type { Delivery } from '../message/delivery.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import type { Applied } from '../read/outcome.ts'
import type { AnyProjection } from '../read/projection.ts'
import { DEFAULT_RETRY, retryPolicy } from '../runtime/retry.ts'
import type { Channel } from '../wire/channel.ts'
import type { BatchOutcome, BatchSubscriber, HandlerSubscriber } from '../wire/subscriber.ts'
import type { Executor } from '../write/execute.ts'
import type { AnyHandler } from '../write/handle.ts'
import { deliveredJob } from '../write/job.ts'
import { LOG_CHANNEL } from './parking.ts'

/** A handler as a consumer sees it: one message, one transaction. */
export function handlerSubscriber(handler: AnyHandler, channel: Channel, execute: Executor): HandlerSubscriber {
  const tracked = handler.definition.kind === 'command'
  const { retry, timeout } = handler.options
  return {
    name: handler.name,
    channel: channel.name,
    types: new Set([handler.definition.type as string]),
    ordered: channel.ordered,
    retry: retry ? retryPolicy({ ...channel.retry, ...retry }) : channel.retry,
    tracked,
    ...(timeout !== undefined && { timeout }),
    async handle(delivery, signal) {
      const { outcome } = await execute(handler, deliveredJob(delivery, signal, tracked))
      return outcome.kind === 'replayed' ? 'duplicate' : outcome.kind
    },
  }
}

/**
 * A projection as a consumer sees it: batches, and rows that carry their own guard. One that is fed from the log is
 * here for its held rows only.
 */
export function projectionSubscriber(
  projection: AnyProjection,
  channel: Channel | undefined,
  live: (events: readonly EventEnvelope[]) => Promise<Applied>,
): BatchSubscriber {
  return {
    name: projection.name,
    channel: channel?.name ?? LOG_CHANNEL,
    types: projection.types,
    ordered: true,
    retry: channel?.retry ?? DEFAULT_RETRY,
    tracked: false,
    async handleBatch(deliveries) {
      const unnumbered = deliveries.filter(({ envelope }) => !isEvent(envelope))
      const numbered = unnumbered.length === 0 ? deliveries : deliveries.filter(({ envelope }) => isEvent(envelope))
      const applied = await live(numbered.map(({ envelope }) => envelope as EventEnvelope))
      const outcome = outcomeOf(applied, numbered)
      if (unnumbered.length === 0) return outcome
      const failed = unnumbered.map((delivery) => ({ delivery, error: withoutSeq(delivery, projection) }))
      return { failed: [...outcome.failed, ...failed], behind: outcome.behind }
    },
  }
}

function outcomeOf({ failed, behind }: Applied, deliveries: readonly Delivery[]): BatchOutcome {
  if (failed.length === 0 && behind.length === 0) return NOTHING_FAILED
  const failures = new Map(failed.map(({ event, error }) => [event as unknown, error]))
  const waiting = new Set<unknown>(behind)
  return {
    failed: deliveries
      .filter(({ envelope }) => failures.has(envelope))
      .map((delivery) => ({ delivery, error: failures.get(delivery.envelope) })),
    behind: deliveries.filter(({ envelope }) => waiting.has(envelope)),
  }
}

const NOTHING_FAILED: BatchOutcome = { failed: [], behind: [] }

function isEvent({ kind, key, seq }: Delivery['envelope']): boolean {
  return kind === 'event' && key !== null && seq !== undefined
}

function withoutSeq({ envelope }: Delivery, { name }: AnyProjection): ObverseError {
  return new ObverseError(
    'MESSAGE_INVALID',
    `${name} cannot place ${envelope.type} ${envelope.id}: it has no key or no seq, so a row could not tell a duplicate`,
  )
}
