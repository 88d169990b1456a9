import { afterAll, describe, expect, it } from 'vitest'
import { onEveryStack } from '../../apps/orders/test/stacks.ts'
import { killAll } from '../processes.ts'
import { WATCHED } from './memory.ts'
import { requests } from './requests/check.ts'
import { MISTAKES, type Mistake, PlantedInstallation } from './requests/mistake.ts'

// what a test that took too long has left
afterAll(killAll)

// The full number: npm run bounds -- requests
const COUNT = { embedded: 1_500, servers: 500 } as const
const seed = Number(process.env.OBVERSE_SEED ?? Date.now() % 1_000_000)

for (const orders of await onEveryStack(WATCHED)) {
  describe.skipIf(orders.missing)(`requests made of the description, ${orders.stack}`, () => {
    it(`get an answer that says what is wrong, and leave nothing half done, seed ${seed}`, async () => {
      try {
        const { findings, figures } = await requests(orders, { count: COUNT[orders.stack], seed })
        expect(findings).toEqual([])
        expect(figures.created).toBeGreaterThan(10)
      } finally {
        await orders.end()
      }
    }, 120_000)
  })
}

describe('a mistake in the application is found', () => {
  it.each(Object.entries(MISTAKES))(
    '%s',
    async (mistake, finding) => {
      const orders = new PlantedInstallation(mistake as Mistake)
      try {
        const { findings } = await requests(orders, { count: 150, seed: 1, judged: 0 })
        expect(findings.join('\n')).toMatch(finding)
      } finally {
        await orders.end()
      }
    },
    90_000,
  )
})
