import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Store } from 'obverse'
import { sqlite } from 'obverse/sqlite'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from '../processes.ts'
import { longLog } from './log/check.ts'
import { FilledStore } from './log/store.ts'

// The full number and the ratios, on both stacks: npm run bounds -- log
const folder = temporaryFolder('bounds')
afterAll(() => folder.remove())

it('a filled store appends, relays, reads and rebuilds, and says how far it is', async () => {
  const store = await FilledStore.fill('log', sqlite(join(folder.path, 'log.db')), 6_000)
  try {
    for (let run = 0; run < 2; run += 1) {
      expect(await store.append()).toBeGreaterThan(0)
      expect(await store.relay()).toBeGreaterThan(0)
      expect(await store.read()).toBeGreaterThan(0)
    }
    const { projected, rebuilt, told } = await store.project()
    expect(Math.min(projected, rebuilt)).toBeGreaterThan(0)
    expect(told).toBeGreaterThan(3)
  } finally {
    await store.close()
  }
}, 60_000)

it('a store whose log is slow when it is long is found', async () => {
  const [small, large] = ['small', 'large'].map((name) => sqlite(join(folder.path, `${name}.db`))) as [Store, Store]
  const { findings } = await longLog({ name: 'log', small, large: slowReading(large), count: 11_000 })
  expect(findings.join()).toMatch(/read: \d+\/s with 11000 events/)
}, 60_000)

function slowReading(store: Store): Store {
  return {
    name: store.name,
    async open(environment) {
      const opened = await store.open(environment)
      const after: typeof opened.log.after = async (...page) => {
        await setTimeout(50)
        return opened.log.after(...page)
      }
      return { ...opened, log: { ...opened.log, after } }
    },
  }
}
