// The whole application under a seeded scheduler, and what it would notice.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Mutation } from 'obverse/testing'
import { describe, expect, test } from 'vitest'
import { root } from '../repo/root.ts'
import { MUTATIONS } from './mutations.ts'
import { runSeed } from './run.ts'

const SEEDS = Number(process.env.OBVERSE_SEEDS ?? 300)
/** What fails under a seed fails every time. */
const PATIENT = { timeout: 600_000, retry: 0 }

const run = promisify(execFile)

/** As `npm run simulate` does. */
async function simulate(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ['--conditions=source', 'scripts/simulate.ts', ...args]
  try {
    return { code: 0, ...(await run(process.execPath, command, { cwd: root, maxBuffer: 64 * 1024 * 1024 })) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

describe('simulation', () => {
  test(`${SEEDS} seeds lose nothing, do nothing twice, and keep every order`, PATIENT, async () => {
    const { code, stdout } = await simulate('--seeds', String(SEEDS), '--json')
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      seeds: SEEDS,
      from: 1,
      failed: 0,
      failures: [],
    })
    expect(code).toBe(0)
  })

  test.each(Object.entries(MUTATIONS))('seed of %s: %i shows that it is missing', PATIENT, async (name, seed) => {
    const { violations } = await runSeed(seed, { without: [name as Mutation] })
    expect(violations).not.toEqual([])
    const { violations: none } = await runSeed(seed)
    expect(none, 'with it nothing is wrong').toEqual([])
  })

  test('a seed is the same run every time, to the last line of its schedule', async () => {
    for (const seed of [3, 4, 11]) {
      const [one, other] = [await runSeed(seed, { schedule: true }), await runSeed(seed, { schedule: true })]
      expect(one.schedule?.length).toBeGreaterThan(20)
      expect(one).toEqual(other)
    }
    const [three, four] = [await runSeed(3), await runSeed(4)]
    expect(three.fingerprint).not.toBe(four.fingerprint)
  })

  test('it is as bad as it says: processes die, freeze, lose their servers and have wrong clocks', async () => {
    const total = { kills: 0, freezes: 0, cuts: 0, skews: 0, forgotten: 0 }
    let effects = 0
    for (let seed = 1; seed <= 80; seed += 1) {
      const report = await runSeed(seed)
      effects += report.effects
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += report.faults[name]
    }
    for (const [name, count] of Object.entries(total)) expect(count, name).toBeGreaterThan(4)
    expect(effects).toBeGreaterThan(1_000)
  })
})

describe('npm run simulate', () => {
  test('prints the schedule of a seed that fails, and ends with 1', async () => {
    const { code, stdout } = await simulate('--seed', '1', '--without', 'parking')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ +\d+\.\d ms {2}consumer-\d+ +has committed apply@/m)
    expect(stdout).toMatch(/violated: apply@alone has 1 effects of op-\d+/)
  })

  test('tells the seed that shows a missing protection, and ends with 1 when none does', async () => {
    expect(await simulate('--without', 'inbox')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/seed \d+ shows it/),
    })
    // a run without any mishap: its seed was looked for
    expect((await simulate('--without', 'jump-fill', '--seeds', '1')).code).toBe(1)
  })

  test.each([
    [['--seeds', 'x'], '--seeds is "x"; give a whole number from 1'],
    [['--without', 'nothing'], 'there is no protection "nothing"; --list names them'],
    [['--sedes', '1'], "Unknown option '--sedes'"],
  ])('says what is wrong with %j, and ends with 2', async (args, says) => {
    expect(await simulate(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) })
  })
})
