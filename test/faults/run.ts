import { join } from 'node:path'
import type { Protection } from 'obverse'
import { seededRandom } from 'obverse/testing'
import { temporaryFolder, until } from '../processes.ts'
import { audit } from './audit.ts'
import { processFile } from './bundle.ts'
import { giveUp, killByChance, type Scene, sendPoison, wakeZombies } from './conductors.ts'
import { Fleet } from './fleet.ts'
import type { Role } from './ledger/protocol.ts'
import { Load } from './load.ts'
import { Recovery } from './recovery.ts'
import type { Parking, Report } from './report.ts'
import { Rows } from './rows.ts'
import type { CrashPlan, Scenario } from './scenario.ts'

export interface RunOptions {
  readonly seed: number
  /** In place of those of the scenario. */
  readonly kills?: number
  readonly without?: readonly Protection[]
  readonly crash?: Scenario['crash']
  /** Milliseconds that any one thing may take. Default 60,000. */
  readonly patience?: number
}

/**
 * Runs a scenario with real processes on new files, and looks at the rows that are left. Never hangs. OBVERSE_KEEP in
 * the environment leaves the files where they are.
 */
export async function run(scenario: Scenario, options: RunOptions): Promise<Report> {
  const { seed, kills = scenario.kills, without = [], crash = scenario.crash ?? {}, patience = 60_000 } = options
  const folder = temporaryFolder('faults')
  const file = join(folder.path, 'ledger.db')
  const queues = scenario.broker ? join(folder.path, 'queues.db') : undefined
  const random = seededRandom(seed)
  const program = await processFile()
  let recovery: Recovery | undefined
  const fleet: Fleet = new Fleet({
    processes: scenario.processes,
    crash,
    assignment: { file, without, ...(queues !== undefined && { queues }) },
    mortal: mortalOf(scenario, crash),
    random,
    file: program,
    onKilled: (member) => (recovery ? recovery.killed(member) : load.takeBack(member)),
    onAnswer: (notice, by) => load.answer(notice, by),
  })
  let rows: Rows | undefined
  const load: Load = new Load(fleet, { random, flaky: scenario.flaky ?? 17, backlog: () => rows?.backlog() ?? 0 })
  let drained = true
  let parking: Parking | undefined
  let stops = 0
  try {
    await fleet.start()
    rows = new Rows(queues === undefined ? [file] : [file, queues])
    recovery = new Recovery(rows, load)
    load.start()
    const scene: Scene = { fleet, load, rows, recovery, random, patience }
    try {
      const stopping = Object.values(crash).some((plan) => plan.stop)
      if (scenario.chance) await killByChance(scene, scenario.chance, kills)
      if (stopping) stops = await wakeZombies(scene, kills)
      if (scenario.poison) parking = await sendPoison(scene)
      if (scenario.poison && !parking) throw new Error('the poisoned message was not given up')
      await enough(scene, stopping || scenario.poison ? 0 : kills, scenario.operations ?? 100)
      if (parking) await giveUp(scene)
      const atRest = () => load.settled && scene.rows.quiet(fleet.pids)
      await until('everything to be handled', atRest, patience)
    } catch (error) {
      drained = false
      fleet.odd.push(String(error))
    }
    if (drained) await fleet.stop()
  } finally {
    await fleet.end()
    load.close()
    rows?.close()
  }
  const { sent, answered, refused } = load
  const found = audit({ file, queues, answered, sent })
  if (process.env.OBVERSE_KEEP === undefined) folder.remove()
  else console.log(`the files are in ${folder.path}`)
  return {
    ...found,
    name: scenario.name,
    seed,
    kills: fleet.kills,
    stops,
    sent: sent.size,
    refused: refused.length,
    redelivered: fleet.redelivered,
    fenced: fleet.fenced,
    dead: fleet.dead,
    poisoned: fleet.poisoned,
    recovery: recovery.close(),
    drained,
    ...(parking && { parking }),
    odd: [...fleet.odd, ...refused],
  }
}

/** Enough kills, then nobody ends by itself any more; enough operations, then nothing new is sent. */
async function enough({ fleet, load, patience }: Scene, kills: number, operations: number): Promise<void> {
  let [seen, since] = [0, performance.now()]
  await until(
    `${kills} kills`,
    () => {
      if (fleet.kills > seen) [seen, since] = [fleet.kills, performance.now()]
      if (performance.now() - since > patience) throw new Error(`no kill within ${patience} ms; there were ${seen}`)
      return fleet.odd.length > 0 || fleet.kills >= kills
    },
    patience * (kills + 1),
  )
  fleet.disarm()
  await until(`${operations} operations`, () => fleet.odd.length > 0 || load.answered.size >= operations, patience)
  load.end()
}

function mortalOf({ chance = [], poison }: Scenario, crash: NonNullable<Scenario['crash']>): ReadonlySet<Role> {
  const crashing = (Object.entries(crash) as [Role, CrashPlan][]).filter(([, { stop }]) => !stop).map(([role]) => role)
  return new Set([...crashing, ...chance, ...(poison ? (['consumer'] as const) : [])])
}
