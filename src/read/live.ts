import type { EventEnvelope } from '../message/envelope.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { type Applier, createApplier } from './applier.ts'
import type { Log } from './feed.ts'
import type { Generations } from './generation.ts'
import type { Applied } from './outcome.ts'
import type { Parking } from './parking.ts'
import type { AnyProjection } from './projection.ts'

export interface LiveOptions {
  readonly projection: AnyProjection
  readonly generations: Generations
  readonly log: Log
  readonly parking: Pick<Parking, 'givenUp'>
  readonly runtime: Runtime
  readonly observer?: Observer
}

/**
 * Brings events that were delivered, by a channel or out of a held row, into the served generation of a view of one
 * key. When the generation was switched meanwhile they go into the new one too, before they are acknowledged.
 *
 * Rejects only for outages; what failed is in the result.
 */
export function createLive(options: LiveOptions): (events: readonly EventEnvelope[]) => Promise<Applied> {
  const { projection, generations, log, parking, runtime, observer } = options
  const givenUp = parking.givenUp.bind(parking)
  let current: { generation: number; applier: Applier } | undefined

  return async (events) => {
    let served = await generations.serving(projection.view)
    for (;;) {
      const { generation, table } = served
      if (current?.generation !== generation) {
        const applier = createApplier({ projection, table, log, runtime, ...(observer && { observer }), givenUp })
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
