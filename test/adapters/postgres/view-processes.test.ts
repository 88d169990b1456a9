import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { killAll, start } from '../../processes.ts'
import { fresh } from '../../servers.ts'
import { newSchema, openViews } from './database.ts'

const postgres = await fresh('postgres')
afterEach(killAll)

describe.skipIf(postgres.missing)('several processes', () => {
  it('make one table at the same moment, and save its rows beside each other', async () => {
    const url = await newSchema(postgres.url)
    const gate = new pg.Client({ connectionString: url })
    await gate.connect()
    await gate.query('SELECT pg_advisory_lock(4711)')
    const all = ['a', 'b', 'c', 'd'].map((name) => start('test/adapters/postgres/view-process.ts', [url, name]))
    await Promise.all(all.map((each) => each.printed(/ready/)))
    await gate.query('SELECT pg_advisory_unlock(4711)')
    const sums = { accepted: 0, advanced: 0 }
    for (const each of all) {
      const [, accepted, advanced] = await each.printed(/accepted (\d+), advanced (\d+)\./)
      sums.accepted += Number(accepted)
      sums.advanced += Number(advanced)
      expect(await each.ended(), each.output).toEqual({ code: 0, signal: null })
    }
    await gate.end()
    const store = await openViews(url)
    const table = await store.open({ name: 'shared', key: 'id', lookups: [{ by: ['status'], descending: false }] }, 1)
    const rows = await table.load(Array.from({ length: 60 }, (_, n) => `r${n}`))
    expect(rows.map(({ mark }) => mark)).toEqual(Array(60).fill(20))
    // each mark of each row is accepted once at most, and the last one surely
    expect(sums.accepted).toBeGreaterThanOrEqual(60)
    expect(sums.accepted).toBeLessThanOrEqual(60 * 20)
    expect([sums.advanced, await store.checkpoints?.get('shared')]).toEqual([20, 20])
    await store.close?.()
  }, 30_000)
})
