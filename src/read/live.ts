import { kindOf } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { type Applier, createApplier } from './applier.ts'
import type { Log } from './feed.ts'
import type { Generations } from './generation.ts'
import type { Applied } from './outcome.ts'
import type { Parking } from './parking.ts'
import type { AnyProjection } from './projection.ts'
import type { Projector } from './projector.ts'

export interface LiveOptions {
  readonly projection: AnyProjection
  readonly generations: Generations
  readonly log: Log
  readonly parking: Pick<Parking, 'givenUp'>
  readonly runtime: Runtime
  readonly observer?: Observer
  /** Of a gathering projection: it alone knows whether an event is the next in the log. */
  readonly projector?: Pick<Projector, 'retry'>
  /** The rows are in another database than the log. Default false. */
  readonly apart?: boolean
}

/**
 * Brings events that were delivered, by a channel or out of a held row, into the served generation of a view. Those of
 * a gathering view are left to its projector, which tries them in their place. When the generation was switched meanwhile they go into the new one too, before they are acknowledged.
 *
 * Rejects only for outages; what failed is in the result.
 */
export function createLive(options: LiveOptions): (events: readonly EventEnvelope[]) => Promise<Applied> {
  const { projection, generations, log, parking, runtime, observer, apart = false } = options
  const givenUp = parking.givenUp.bind(parking)
  let current: { generation: number; applier: Applier } | undefined

  return async (events) => {
    if (projection.gathering && options.projector) return inItsPlace(options.projector, events)
    let served = await generations.serving(projection.view)
    for (;;) {
      const { generation, table } = served
      if (current?.generation !== generation) {
        const applier = createApplier({
          projection,
          table,
          log,
          runtime,
          ...(observer && { observer }),
          givenUp,
          apart,
        })
        current = { generation, applier }
      }
      const { applier } = current
      let applied: Applied
      try {
        applied = await applier.apply(events)
      } catch (error) {
        applier.forget()
        throw error
      }
      // a switch that this look does not see comes after the rows, and follows the log past these events
      served = await generations.look(projection.view)
      if (served.generation === generation) return applied
    }
  }
}

async function inItsPlace(projector: Pick<Projector, 'retry'>, events: readonly EventEnvelope[]): Promise<Applied> {
  const applied: Applied = { failed: [], behind: [], rows: 0, filled: 0 }
  for (const [at, event] of events.entries()) {
    try {
      await projector.retry(event.position ?? 0)
    } catch (error) {
      if (kindOf(error) === 'outage') throw error
      applied.failed.push({ event, error })
      applied.behind.push(...events.slice(at + 1))
      break
    }
  }
  return applied
}
