import { hash } from 'node:crypto'
import type { Generation } from './checkpoint.ts'
import { checkpointName, shapeOf } from './generation.ts'
import type { AnyProjection } from './projection.ts'
import type { RebuildContext } from './rebuild-context.ts'

/**
 * Records which generation is being built. A build that was cut off is taken up again, if the projection is what it was:
 * rows of other steps would stay beside the new ones. Otherwise, or with `fresh`, the next generation begins at 0 and
 * the unfinished one goes.
 */
export async function beginBuilding(context: RebuildContext, fresh: boolean): Promise<number> {
  const { projection, checkpoints } = context
  for (;;) {
    const pointer: Generation = await checkpoints.generation(projection.view.name)
    const { serving, previous = 0, building: unfinished = 0 } = pointer
    if (unfinished > 0 && !fresh && (await isBuiltAlike(context, unfinished))) return unfinished
    const building = Math.max(serving, previous, unfinished) + 1
    // rows or a checkpoint of an older build under this number would count as done
    await checkpoints.remove(checkpointName(projection, building))
    await checkpoints.remove(stepsName(projection, building))
    await checkpoints.advance(stepsName(projection, building), 0, fingerprint(projection))
    if (!(await checkpoints.setGeneration(projection.view.name, pointer, { ...pointer, building }))) continue
    if (unfinished > 0) await discard(context, unfinished)
    // and its guards would refuse the new ones: a store that lost its pointers may still have them
    await context.generations.drop(projection.view, building)
    return building
  }
}

/** True when the steps that `generation` was built with are those of the projection as it is now. */
export async function isBuiltAlike({ projection, checkpoints }: RebuildContext, generation: number): Promise<boolean> {
  return (await checkpoints.get(stepsName(projection, generation))) === fingerprint(projection)
}

/** Takes away a generation that nobody reads, with everything that is known of it. */
export async function discard(
  { projection, generations, checkpoints }: RebuildContext,
  generation: number,
): Promise<void> {
  await generations.drop(projection.view, generation)
  await checkpoints.remove(checkpointName(projection, generation))
  await checkpoints.remove(stepsName(projection, generation))
}

function stepsName(projection: AnyProjection, generation: number): string {
  return `${checkpointName(projection, generation)}:steps`
}

/**
 * A number that another text of a step, another type or another shape of the view changes. What a step calls is not in
 * its text. It is kept like a position, so it has 48 bits and is never 0.
 */
function fingerprint({ view, gathering, definitions, steps }: AnyProjection): number {
  const each = definitions.map(({ type, version }) => [type, version, String(steps.get(type))])
  const { name, key, lookups, list, search } = shapeOf(view)
  const text = JSON.stringify([name, key, lookups, gathering, each.sort(), list, search])
  return 1 + Number.parseInt(hash('sha256', text).slice(0, 12), 16)
}
