import type { OpenStore, Store } from 'obverse'
import { embeddedBroker } from './broker.ts'
import { checkpoints } from './checkpoint.ts'
import { Data } from './data.ts'
import { deadLetters } from './dead-letter.ts'
import { eventStore } from './event-store.ts'
import { heldRows } from './held.ts'
import { inbox } from './inbox.ts'
import { Instance } from './instance.ts'
import { log } from './log.ts'
import { outbox } from './outbox.ts'
import { positions } from './positions.ts'
import { schemaControl } from './schema.ts'
import { statuses } from './status.ts'
import { MemoryTransactions } from './transactions.ts'
import { viewStore } from './view.ts'

export { type MemoryBroker, memoryBroker } from './separate-broker.ts'

export interface MemoryOptions {
  /** Who gives positions: the commit (default), or `positions.stamp`, as in a store with many writers. */
  readonly positions?: 'commit' | 'relay'
}

/**
 * Every port in memory: the reference implementation, for tests and for a first try. Nothing survives the process.
 *
 * One value is one set of data: applications that are given the same value share it, as processes share a file. They
 * need clocks that agree.
 *
 * @example
 * const app = createApp({ handlers: [placeOrder], store: memory() })
 */
export function memory(options: MemoryOptions = {}): Store {
  const relay = options.positions === 'relay'
  const data = new Data(relay)
  return {
    name: 'memory',
    async open(environment): Promise<OpenStore> {
      const instance = new Instance(data, environment)
      const broker = embeddedBroker(instance)
      return {
        events: eventStore(instance),
        transactions: new MemoryTransactions(instance),
        outbox: outbox(instance),
        ...(relay && { positions: positions(instance) }),
        inbox: inbox(instance),
        held: heldRows(instance),
        deadLetters: deadLetters(instance),
        statuses: statuses(instance),
        log: log(instance),
        checkpoints: checkpoints(instance),
        views: viewStore(instance),
        broker,
        schema: schemaControl(instance),
        async health() {
          const detail = `${data.events.committed.length} events, ${data.rows.size} queued messages, ${data.held.rows.size} held`
          return instance.closed ? { ok: false, detail: 'closed' } : { ok: true, detail }
        },
        onCommit: (listener) => data.onCommit(listener),
        async close() {
          if (instance.closed) return
          await broker.close()
          instance.close()
        },
      }
    },
  }
}
