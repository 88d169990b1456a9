import { join } from 'node:path'
import { sqlite } from 'obverse/sqlite'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from '../processes.ts'
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
