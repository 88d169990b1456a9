import { type Runtime, sleep } from '../runtime/clock.ts'
import { createLoop } from '../runtime/loop.ts'
import type { Checkpoints } from './checkpoint.ts'

/** Milliseconds between beats, and without a beat until the holder counts as gone. */
const BEAT = 500
const GONE = 3_000

/** The right to drive something that one process at a time may drive. */
export interface Lease {
  /**
   * Asks the store whether nobody else has it: a process that stood still has not missed a beat by its own account.
   */
  holds(): Promise<boolean>
  release(): Promise<void>
}

/**
 * Takes the lease `name`, or answers `undefined` when its holder is alive. The holder counts a checkpoint up; whoever
 * wants it watches that number by its own clock for 3 s, so that no two hosts' clocks are compared. A lease is not a
 * fence: what its holder writes is guarded by rows and checkpoints.
 */
export async function takeLease(checkpoints: Checkpoints, name: string, runtime: Runtime): Promise<Lease | undefined> {
  const seen = await checkpoints.get(name)
  for (let waited = 0; seen > 0 && waited < GONE; waited += BEAT / 5) {
    await sleep(runtime, BEAT / 5)
    const now = await checkpoints.get(name)
    if (now === 0) break
    if (now !== seen) return undefined
  }
  const from = (await checkpoints.get(name)) === 0 ? 0 : seen
  // begins somewhere else each time, so that a holder that was stopped cannot take a later count for its own
  let count = from === 0 ? 1 + Math.floor(runtime.random() * 2 ** 40) : from + 2 ** 12
  if (!(await checkpoints.advance(name, from, count))) return undefined

  let lost = false
  const beat = createLoop({
    name,
    idle: BEAT,
    runtime,
    async step() {
      if (lost) return false
      if (await checkpoints.advance(name, count, count + 1)) count += 1
      else lost = true
      return false
    },
  })
  beat.start()
  return {
    async holds() {
      const from = count
      const seen = await checkpoints.get(name)
      // a beat may be under way; a new holder's count is far off
      if (seen < from || seen > count + 1) lost = true
      return !lost
    },
    async release() {
      await beat.stop()
      // only our own: a lease that was taken over stays with its new holder
      if (!lost && (await checkpoints.advance(name, count, count + 1))) await checkpoints.remove(name)
    },
  }
}
