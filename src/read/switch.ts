import { discard } from './building.ts'
import type { Generation } from './checkpoint.ts'
import type { RebuildContext } from './rebuild-context.ts'

/**
 * Serves `generation` from now on, in one step, while the pointer is one that `may` be left for it: whoever was away for
 * long finds another one, and must not bring back what is gone. False: it is not. The generation before stays for
 * rollback and for readers that hold it; older ones go. Feeds other than the log may have written into it until now:
 * `followTo` makes the projector go on behind the switch until it has passed them.
 */
export async function switchGeneration(
  context: RebuildContext,
  generation: number,
  may: (pointer: Generation) => boolean,
): Promise<boolean> {
  const { projection, generations, checkpoints, log } = context
  const { view, feed } = projection
  for (;;) {
    const pointer = await checkpoints.generation(view.name)
    if (!may(pointer)) return false
    // the head counts what has a position: what was committed before the switch must have one
    if (feed.kind !== 'log') await context.stamp?.()
    const followTo = feed.kind === 'log' ? undefined : await log.head()
    const { building } = pointer
    const next: Generation = {
      serving: generation,
      previous: pointer.serving,
      ...(followTo !== undefined && { followTo }),
      ...(building !== undefined && building !== generation && { building }),
    }
    if (!(await checkpoints.setGeneration(view.name, pointer, next))) continue
    generations.wake()
    await dropOlder(context, next, pointer)
    return true
  }
}

/** What a switch that was cut off may have left is taken away as well. */
async function dropOlder(context: RebuildContext, now: Generation, then: Generation) {
  const kept = new Set([now.serving, now.previous, now.building])
  const oldest = Math.max(1, Math.min(now.serving, now.previous ?? now.serving) - 3)
  for (let generation = oldest; generation < Math.max(now.serving, then.previous ?? 0, then.serving); generation += 1) {
    if (!kept.has(generation)) await discard(context, generation)
  }
}
