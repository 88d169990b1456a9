import type { Roles } from 'obverse'

/** What one process does. `all` is enough for one machine; the others divide the work among processes. */
export const ROLES = ['all', 'api', 'relay', 'consumer'] as const
export type Role = (typeof ROLES)[number]

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

export const hasApi = (role: Role): boolean => role === 'all' || role === 'api'

/** The long-running parts of a role; `undefined`: none, it only answers requests. */
export function partsOf(role: Role): Roles | undefined {
  if (role === 'api') return undefined
  const all = role === 'all'
  return { relay: all || role === 'relay', consume: all || role === 'consumer', project: all || role === 'consumer' }
}
