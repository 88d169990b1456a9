import type { Registry } from '../message/registry.ts'
import type { DeadLetters } from './dead-letter.ts'
import type { Router } from './router.ts'

export interface ReclaimOptions {
  readonly deadLetters: Pick<DeadLetters, 'reclaim'>
  readonly registry: Registry
  readonly router: Router
}

/**
 * Takes back messages that were refused by a process that did not know them, or had nobody for them on their channel,
 * and that somebody here takes. Returns how many.
 */
export function reclaim({ deadLetters, registry, router }: ReclaimOptions, only?: string): Promise<number> {
  return deadLetters.reclaim(
    (type, version, channel) =>
      (only === undefined || channel === only) &&
      router.subscribers(channel, type).length > 0 &&
      (registry.find(type)?.version ?? 0) >= version,
  )
}
