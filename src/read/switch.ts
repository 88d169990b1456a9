import type { Generation } from './checkpoint.ts'
import type { RebuildContext } from './rebuild-context.ts'

/**
 * Serves `generation` from now on, in one step. The one before stays for rollback and for readers that hold it; older
 * ones go. Feeds other than the log may have written into it until now: `followTo` makes the projector go on behind
 * the switch until it has passed them.
 */
export async function switchGeneration(context: RebuildContext, generation: number): Promise<void> {
  const { projection, generations, checkpoints, log } = context
  const { view, feed } = projection
  for (;;) {
    const pointer = await checkpoints.generation(view.name)
    if (pointer.serving === generation) return
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
    return
  }
}

/** What a switch that was cut off may have left is taken away as well. */
async function dropOlder({ projection, generations, checkpoints }: RebuildContext, now: Generation, then: Generation) {
  const kept = new Set([now.serving, now.previous, now.building])
  const oldest = Math.max(1, Math.min(now.serving, now.previous ?? now.serving) - 3)
  for (let generation = oldest; generation < Math.max(now.serving, then.previous ?? 0, then.serving); generation += 1) {
    if (kept.has(generation)) continue
    await generations.drop(projection.view, generation)
    await checkpoints.remove(`${projection.name}@${generation}`)
  }
}
