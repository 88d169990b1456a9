import type { Outbox, OutboxRow } from 'obverse'
import { total } from './backlog.ts'
import { Delayed } from './delayed.ts'
import type { Environment } from './environment.ts'
import type { Owners } from './owners.ts'
import { Relaying } from './relaying.ts'

/** The relay's half of the rows, for a broker elsewhere. */
export function outbox(environment: Environment, owners: Owners): Outbox {
  const { reader, runtime } = environment
  const delayed = new Delayed(environment)
  const relaying = new Relaying(environment, owners)
  return {
    async claim(owner, limit): Promise<OutboxRow[]> {
      await delayed.ripen()
      return relaying.claim(owner, limit)
    },
    done: (owner, ids) => relaying.done(owner, ids),
    failed: (owner, ids, retryAt) => relaying.failed(owner, ids, retryAt),
    async waiting() {
      const { count, at } = await total(reader)
      return { count, ...(at !== null && { oldest: Math.max(0, runtime.now() - at) }) }
    },
  }
}
