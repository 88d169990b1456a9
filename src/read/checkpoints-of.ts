import type { Checkpoints } from './checkpoint.ts'
import type { ViewStore } from './view.ts'

/**
 * Where a projection keeps how far it has come: beside the rows, if their store keeps checkpoints, so that both are lost or
 * restored together. Which generation is served stays with the application's own store.
 */
export function checkpointsOf({ checkpoints: beside }: ViewStore, own: Checkpoints): Checkpoints {
  if (!beside || beside === own) return own
  return {
    get: (name) => beside.get(name),
    advance: (name, from, to) => beside.advance(name, from, to),
    remove: (name) => beside.remove(name),
    all: () => beside.all(),
    generation: (view) => own.generation(view),
    setGeneration: (view, expected, next) => own.setGeneration(view, expected, next),
  }
}

/** True when rows and log are in different databases: one may be lost or restored without the other. */
export function livesApart({ checkpoints: beside }: ViewStore, own: Checkpoints): boolean {
  return beside !== undefined && beside !== own
}
