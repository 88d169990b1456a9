import type { Unit } from 'obverse'

/** One unit that {@link append} can take. */
export interface Appending {
  readonly key: string
  readonly expected: number | null
  readonly events: Unit['events']
}

/** The key of a unit that is nothing but events of one key, under at most its own expected version. */
export function appendingOf({
  events,
  messages,
  expected,
  snapshot,
  project,
  cancel,
  answer,
}: Unit): Appending | undefined {
  const key = events[0]?.key
  if (key === undefined || messages.length > 0 || snapshot || project || cancel || answer) return undefined
  if (events.some((event) => event.key !== key)) return undefined
  if (expected && (expected.size > 1 || (expected.size === 1 && !expected.has(key)))) return undefined
  return { key, expected: expected?.get(key) ?? null, events }
}

/** The choice for one group: appends go with appends, each of another key, and everything else with its like. */
export function ofOneKind(): (one: { readonly appending: Appending | undefined }) => boolean {
  const keys = new Set<string>()
  let appends: boolean | undefined
  return ({ appending }) => {
    appends ??= appending !== undefined
    if (appends !== (appending !== undefined)) return false
    if (!appending) return true
    if (keys.has(appending.key)) return false
    keys.add(appending.key)
    return true
  }
}
