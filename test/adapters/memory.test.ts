import { memory, memoryBroker } from 'obverse/memory'
import { brokerContracts, type Capability, canaries, storeContracts } from 'obverse/testing/conformance'
import { describe, test } from 'vitest'

const common: readonly Capability[] = ['late-commits', 'ordered-lookups', 'counted-lookups', 'search']
const variants = {
  'memory, positions at commit': { store: () => memory(), capabilities: [...common, 'positions-at-commit'] },
  'memory, positions by relay': {
    store: () => memory({ positions: 'relay' }),
    capabilities: [...common, 'positions-by-relay'],
  },
} as const

for (const [name, options] of Object.entries(variants)) {
  describe(name, () => {
    for (const { name, skip, run } of storeContracts(options)) test.skipIf(skip)(name, run)
    for (const { name, skip, run } of canaries(options)) test.skipIf(skip)(name, run)
  })
}

describe('memory broker', () => {
  const broker = async () => {
    const server = memoryBroker()
    return async () => server.connect()
  }
  for (const { name, skip, run } of brokerContracts({ broker, capabilities: ['returns'] })) test.skipIf(skip)(name, run)
})
