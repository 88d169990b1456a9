import { HIGH_WATER } from './mark.ts'
import type { ViewTable } from './view.ts'

/** Says in the table itself how far a gathering view is whole, so that a commit can go on from there. */
export async function saveHighWater(table: ViewTable, position: number): Promise<void> {
  if (position > 0) await table.save([{ id: HIGH_WATER, key: null, mark: position, data: null }])
}

/** Everything up to this position is in; 0: nothing is known. */
export async function highWaterOf(table: ViewTable): Promise<number> {
  return (await table.load([HIGH_WATER]))[0]?.mark ?? 0
}
