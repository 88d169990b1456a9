import type { Stack } from '../../apps/orders/stack.ts'
import type { Outcome } from './outcome.ts'
import type { Stacks } from './stacks.ts'

export interface BoundOptions {
  readonly stack: Stack
  readonly count: number
  readonly seed: number
}

/** A limit that the toolkit promises to keep, as something that can be run by name. */
export interface Bound {
  /** For the command line. */
  readonly name: string
  readonly asks: string
  /** What `count` counts, and how many when nobody says. */
  readonly unit: string
  readonly count: number
  readonly stacks: readonly Stack[]
  run(stacks: Stacks, options: BoundOptions): Promise<Outcome>
}
