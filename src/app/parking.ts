import type { Delivery } from '../message/delivery.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import type { Parking } from '../read/parking.ts'
import type { AnyProjection } from '../read/projection.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { RetryPolicy } from '../runtime/retry.ts'
import type { OpenStore } from '../store.ts'
import { failureOf } from '../wire/failure.ts'

/** The channel under which events of the log stand among the held rows: no broker has it, and no application can name it. */
export const LOG_CHANNEL = ':log'

/** Keeps what a projection cannot apply as held rows and dead letters of its lanes. */
export function parkingOf(
  projection: AnyProjection,
  { held, deadLetters }: Pick<OpenStore, 'held' | 'deadLetters'>,
  runtime: Runtime,
  retry: RetryPolicy,
): Parking {
  const { name: handler, gathering } = projection
  const channel = projection.feed.kind === 'channel' ? projection.feed.channel : LOG_CHANNEL
  const deliver = (event: EventEnvelope): Delivery => ({
    envelope: event,
    body: JSON.stringify(event),
    channel,
    handler,
    ordered: !gathering,
    attempts: 0,
  })
  return {
    async blocked(keys) {
      const lanes = await held.blocked(keys.map((key) => ({ handler, key })))
      return new Set(lanes.map(({ key }) => key))
    },
    async failed(event, error) {
      const failure = failureOf(error, 1, { retry, tracked: false }, runtime)
      const { retryAt, ...given } = failure
      // a gathering projection waits with its own retries: what it records is for people
      await held.hold(deliver(event), gathering || retryAt === undefined ? given : failure)
    },
    async behind(events) {
      await held.join(events.map(deliver))
    },
    async givenUp(event) {
      const skipped = await deadLetters.list({ handler, messageId: event.id, state: 'skipped', limit: 1 })
      return skipped.length > 0
    },
  }
}
