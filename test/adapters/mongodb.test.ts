import { type Protection, systemRuntime } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { checkpointCanaries, checkpointContracts, viewCanaries, viewContracts } from 'obverse/testing/conformance'
import { describe, it } from 'vitest'
import { server } from '../servers.ts'

const shared = await server('mongodb')
const runtime = (without?: ReadonlySet<Protection>) => ({ ...systemRuntime, ...(without && { without }) })
let spaces = 0
const database = () => {
  spaces += 1
  return `obverse_m_${Date.now().toString(36)}_${spaces}`
}

describe.skipIf(shared.missing)('mongodb', () => {
  const options = {
    views: async (without?: ReadonlySet<Protection>) =>
      mongodb(shared.url, { database: database() })({ runtime: runtime(without) }),
    capabilities: ['ordered-lookups'],
  } as const
  for (const { name, skip, run } of viewContracts(options)) it.skipIf(skip)(name, run)
  for (const { name, skip, run } of viewCanaries(options)) it.skipIf(skip)(name, run)
})

describe.skipIf(shared.missing)('mongodb checkpoints', () => {
  const options = {
    checkpoints: async (without?: ReadonlySet<Protection>) => {
      const views = mongodb(shared.url, { database: database() })
      return async () => {
        const store = await views({ runtime: runtime(without) })
        if (!store.checkpoints) throw new Error('no checkpoints')
        return store.checkpoints
      }
    },
    capabilities: [],
  } as const
  for (const { name, skip, run } of checkpointContracts(options)) it.skipIf(skip)(name, run)
  for (const { name, skip, run } of checkpointCanaries(options)) it.skipIf(skip)(name, run)
})
