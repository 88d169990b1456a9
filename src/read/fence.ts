import type { Runtime } from '../runtime/clock.ts'
import type { Checkpoints } from './checkpoint.ts'

/** Moves a checkpoint from where its holder believes it to be; false: somebody else has moved it, so stop believing. */
export async function advanceFenced(
  checkpoints: Checkpoints,
  runtime: Runtime,
  name: string,
  from: number,
  to: number,
): Promise<boolean> {
  if (!runtime.without?.has('checkpoint-fence')) return checkpoints.advance(name, from, to)
  await checkpoints.advance(name, await checkpoints.get(name), to)
  return true
}
