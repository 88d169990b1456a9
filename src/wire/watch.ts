import type { Finding } from '../runtime/health.ts'
import type { Observer } from '../runtime/observer.ts'

/** One look at the alarms: each is told when it is first seen, and again when it has come back after it was over. */
export function createWatch(alarms: () => Promise<readonly Finding[]>, observe: Observer): () => Promise<boolean> {
  let told = new Set<string>()
  return async () => {
    const now = new Set<string>()
    for (const { subject, says, remedy } of await alarms()) {
      now.add(subject)
      if (!told.has(subject)) observe({ step: 'warned', part: subject, says, ...(remedy !== undefined && { remedy }) })
    }
    told = now
    return false
  }
}
