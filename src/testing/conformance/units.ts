import type { Entry, NewEvent, NewMessage, OpenStore, Outcome, Placed, Unit } from 'obverse'

export const ENTRY: Entry = { name: 'contract' }

export function unit(
  events: readonly NewEvent[] = [],
  messages: readonly NewMessage[] = [],
  more: Partial<Unit> = {},
): Unit {
  return { events, messages, ...more }
}

/** Commits events in one unit. */
export async function append(store: OpenStore, ...events: readonly NewEvent[]): Promise<readonly Placed[]> {
  return placedOf(await store.transactions.commit(ENTRY, unit(events)))
}

export function placedOf(outcome: Outcome): readonly Placed[] {
  if (outcome.kind !== 'committed') throw new Error(`The unit ended ${outcome.kind}, not committed`)
  return outcome.events
}

/** Gives every event its position, where a commit does not. */
export async function stampAll(store: OpenStore): Promise<void> {
  while (store.positions && (await store.positions.stamp(1_000)) > 0);
}
