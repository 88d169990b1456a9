import { sqlite } from 'obverse/sqlite'
import { canaries, storeContracts } from 'obverse/testing/conformance'
import { afterAll, describe, it } from 'vitest'
import { temporaryFolder } from '../processes.ts'

const folder = temporaryFolder('sqlite')
afterAll(folder.remove)

let files = 0
const options = {
  store: () => {
    files += 1
    return sqlite(`${folder.path}/${files}.db`)
  },
  capabilities: ['tables', 'positions-at-commit', 'ordered-lookups', 'counted-lookups', 'search'],
  exceptCanary: { 'log-by-position': 'the one connection that writes gives positions in the commit: nothing is late' },
} as const

describe('sqlite', () => {
  for (const { name, skip, run } of storeContracts(options)) it.skipIf(skip)(name, run)
  for (const { name, skip, run } of canaries(options)) it.skipIf(skip)(name, run)
})
