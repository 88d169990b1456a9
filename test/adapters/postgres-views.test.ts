import { type Checkpoints, type OpenStore, type Protection, systemRuntime, type ViewStore } from 'obverse'
import { canaries, storeContracts, viewContracts } from 'obverse/testing/conformance'
import { afterEach, describe, it } from 'vitest'
import { fresh } from '../servers.ts'
import { newSchema, openViews } from './postgres/database.ts'

const postgres = await fresh('postgres')

const opened: ViewStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close?.()
})

async function views(url: string, without?: ReadonlySet<Protection>): Promise<ViewStore> {
  const store = await openViews(url, { ...systemRuntime, ...(without && { without }) })
  opened.push(store)
  return store
}

const capabilities = ['ordered-lookups', 'counted-lookups', 'search'] as const

describe.skipIf(postgres.missing)('views in PostgreSQL', () => {
  const contract = { capabilities, views: async () => views(await newSchema(postgres.url)) }
  for (const { name, skip, run } of viewContracts(contract)) it.skipIf(skip)(name, run)

  // of a store's contract: their own checkpoints, and guards that are taken away
  const store = {
    capabilities,
    store: async () => {
      const url = await newSchema(postgres.url)
      return {
        name: 'views',
        open: async ({ runtime }: { runtime: { without?: ReadonlySet<Protection> } }): Promise<OpenStore> => {
          const own = await views(url, runtime.without)
          const checkpoints = own.checkpoints as Checkpoints
          return { views: own, checkpoints, schema: { migrate: async () => [] }, close: async () => {} } as never
        },
      }
    },
  }
  const beside = storeContracts(store).filter(({ name }) => name.startsWith('checkpoint: '))
  const without = canaries(store).filter(({ name }) => /: (?:view|checkpoint): /.test(name))
  for (const { name, skip, run } of [...beside, ...without]) it.skipIf(skip)(name, run)
})
