import { postgres } from 'obverse/postgres'
import { canaries, storeContracts } from 'obverse/testing/conformance'
import { describe, test } from 'vitest'
import { fresh } from '../servers.ts'
import { newSchema } from './postgres/database.ts'

const server = await fresh('postgres')
const options = {
  store: async () => postgres(await newSchema(server.url), { connections: 6 }),
  capabilities: ['tables', 'positions-by-relay', 'late-commits', 'ordered-lookups', 'counted-lookups', 'search'],
  exceptCanary: {
    'log-by-position':
      'one process commits its groups one after the other; log-order.test.ts reads beside 64 writers that are late',
  },
} as const

describe.skipIf(server.missing)('postgres', () => {
  for (const { name, skip, run } of storeContracts(options)) test.skipIf(skip)(name, run)
  for (const { name, skip, run } of canaries(options)) test.skipIf(skip)(name, run)
})
