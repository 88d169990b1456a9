// A store for one test of the queue, and messages to put in it; also for the processes that tests start.
import { createRegistry, type OpenStore, type Runtime, systemRuntime } from 'obverse'
import { type PostgresOptions, postgres } from 'obverse/postgres'
import { definitions } from '../../../../src/testing/conformance/messages.ts'

export { arrival, fact, order } from '../../../../src/testing/conformance/messages.ts'
export { unit } from '../../../../src/testing/conformance/units.ts'

export const ENTRY = { name: 'test' }

export interface StoreOptions extends PostgresOptions {
  readonly runtime?: Runtime
  readonly relayed?: boolean
}

/** Opened, its tables made. */
export async function openStore(url: string, options: StoreOptions = {}): Promise<OpenStore> {
  const { runtime = systemRuntime, relayed = false, ...rest } = options
  const store = await postgres(url, { connections: 6, lease: 600, poll: 50, ...rest }).open({
    runtime,
    registry: createRegistry(definitions),
    relayed,
  })
  await store.schema.migrate([])
  return store
}
