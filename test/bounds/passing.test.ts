import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../processes.ts'
import { passing } from './passing/check.ts'

// The full number, on servers too: npm run bounds -- memory behind broker-down
const COUNT = 4_000
const PATIENT = 120_000

describe('memory while messages pass', () => {
  const run = async (env: Record<string, string> = {}) => {
    const folder = temporaryFolder('passing')
    try {
      const place = { PASSING_FILE: join(folder.path, 'passing.db'), ...env }
      return await passing({ env: place, relayed: false, way: 'beside', count: COUNT, name: 'memory', judged: 0 })
    } finally {
      folder.remove()
    }
  }

  it(
    'stays flat',
    async () => {
      const { findings, figures } = await run()
      expect(findings).toEqual([])
      expect(figures.consumeEnd).toBeGreaterThan(5)
    },
    PATIENT,
  )

  it(
    'of a handler that keeps what it has seen is found',
    async () => {
      expect((await run({ PASSING_HOARD: '1' })).findings.join()).toMatch(/the memory of consume grew/)
    },
    PATIENT,
  )
})
