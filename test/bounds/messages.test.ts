import { afterAll, describe, expect, it } from 'vitest'
import { EmbeddedInstallation } from '../../apps/orders/test/embedded.ts'
import { onEveryStack } from '../../apps/orders/test/stacks.ts'
import { killAll } from '../processes.ts'
import { WATCHED } from './memory.ts'
import { messages } from './messages/check.ts'
import { MISTAKES, plant } from './messages/mistake.ts'

// what a test that took too long has left
afterAll(killAll)

// The full number: npm run bounds -- messages
const COUNT = { embedded: 500, servers: 150 } as const
const seed = Number(process.env.OBVERSE_SEED ?? Date.now() % 1_000_000)

for (const orders of await onEveryStack(WATCHED)) {
  describe.skipIf(orders.missing)(`malformed messages, ${orders.stack}`, () => {
    it(`are dead letters with their reason and their bytes, and stop nothing, seed ${seed}`, async () => {
      try {
        const count = COUNT[orders.stack]
        const { findings, figures } = await messages(orders, { count, seed })
        expect(findings).toEqual([])
        expect(figures.deadLetters).toBe(count)
        expect(figures.good).toBeGreaterThan(count / 30)
      } finally {
        await orders.end()
      }
    }, 120_000)
  })
}

describe('what goes wrong with them is found', () => {
  it.each(Object.entries(MISTAKES))(
    '%s',
    async (_, { sql, finding }) => {
      const orders = new EmbeddedInstallation(WATCHED)
      try {
        const { findings } = await messages(orders, { count: 60, seed: 1, plant: () => plant(orders.folder.path, sql) })
        expect(findings.join('\n')).toMatch(finding)
      } finally {
        await orders.end()
      }
    },
    60_000,
  )
})
