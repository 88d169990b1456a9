import { seededRandom } from 'obverse/testing'
import { until } from '../processes.ts'
import { audit } from './audit.ts'
import { processFile } from './bundle.ts'
import {
  giveUp,
  killByChance,
  loseDependency,
  type Rolled,
  replay,
  roll,
  type Scene,
  sendPoison,
  wakeZombies,
} from './conductors.ts'
import { Fleet } from './fleet.ts'
import type { Removed, Role } from './ledger/protocol.ts'
import { Load } from './load.ts'
import { Recovery } from './recovery.ts'
import type { Parking, Report } from './report.ts'
import { Rows } from './rows.ts'
import type { CrashPlan, Scenario } from './scenario.ts'
import type { Stack, Stage } from './stack.ts'
import { strikeServer } from './strikes.ts'

export interface RunOptions {
  readonly stack: Stack
  readonly seed: number
  /** In place of that of the scenario. */
  readonly count?: number
  readonly without?: readonly Removed[]
  readonly crash?: Scenario['crash']
  /** Milliseconds that any one thing may take. Default 60,000. */
  readonly patience?: number
  /** Told each second how far it has come. */
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly faults: number
  /** Operations that were answered. */
  readonly answered: number
}

/** Projections that are fed from the log, by the names of their checkpoints; … */
const FROM_LOG = ['by-log@1', 'gathered@1']
/** … and the one that follows it from afar where its rows may be lost, for which it takes some seconds. */
const BY_CHANNEL = 'by-channel@1'

/**
 * Runs a scenario with real processes on new stores, and looks at the rows that are left. Never hangs. OBVERSE_KEEP in
 * the environment leaves the stores as they are.
 */
export async function run(scenario: Scenario, options: RunOptions): Promise<Report> {
  const { stack, seed, count = scenario.count, without = [], crash = scenario.crash ?? {}, patience = 60_000 } = options
  const { onProgress } = options
  const { partitions = 1, strike, doomed = 0, dependency } = scenario
  // one that was stopped finds that it was taken for dead
  const stopping = Object.values(crash).some((plan) => plan.stop)
  const outages = strike !== undefined || dependency === true || stopping
  const stage = await stack.open(scenario)
  const random = seededRandom(seed)
  let recovery: Recovery | undefined
  const fleet: Fleet = new Fleet({
    processes: processesOf(scenario, stage),
    crash,
    assignment: { stores: stage.stores, partitions, outages, without },
    mortal: mortalOf(scenario, crash),
    random,
    file: await processFile(stack.program),
    onKilled: (member) => (recovery ? recovery.killed(member) : load.takeBack(member)),
    onAnswer: (reply, by) => load.answer(reply, by),
  })
  const rows = new Rows(stage, () => fleet.open(), strike?.forgets ? [...FROM_LOG, BY_CHANNEL] : FROM_LOG)
  // each message that comes again is alone for its round trips, so that fewer of them do as well on servers
  const { flaky = 17, keys = 9, backlog = stage.store.dialect === 'postgres' ? 20 : 40 } = scenario
  const load: Load = new Load(fleet, { random, flaky, keys, doomed, backlog: () => rows.backlog(), most: backlog })
  let drained = true
  let parking: Parking | undefined
  let [stops, meanwhile, absences] = [0, 0, 0]
  let rolled: Rolled = { restarts: 0, inHand: 0 }
  const left = () => (scenario.rolling ? fleet.leaves.length : 0)
  const faults = () =>
    fleet.kills + fleet.poisoned + fleet.resumed + left() + (recovery?.strikes ?? 0) + load.undone.size
  const telling = onProgress && setInterval(() => onProgress({ faults: faults(), answered: load.answered.size }), 1_000)
  try {
    await fleet.start()
    recovery = new Recovery(rows, load)
    load.start()
    const scene: Scene = { stage, fleet, load, rows, recovery, random, patience }
    try {
      const killing = !stopping && !scenario.poison && !strike && !scenario.rolling && !dependency && !scenario.replay
      if (scenario.chance) await killByChance(scene, scenario.chance, count)
      if (stopping) stops = await wakeZombies(scene, count)
      if (scenario.rolling) rolled = await roll(scene, scenario.rolling, count)
      if (strike) meanwhile = await strikeServer(scene, strike, count, scenario.room)
      if (dependency) absences = await loseDependency(scene, count)
      if (scenario.replay) await replay(scene, count)
      if (scenario.poison) parking = await sendPoison(scene)
      if (scenario.poison && !parking) throw new Error('the poisoned message was not given up')
      if (doomed > 0) await until(`${count} failures`, () => load.undone.size >= count, patience + 200 * count)
      await enough(scene, killing && doomed === 0 ? count : 0, scenario.operations ?? 100)
      if (parking) await giveUp(scene)
      const atRest = async () => load.settled && (await rows.quiet(fleet.pids))
      await until('everything to be handled', atRest, patience)
    } catch (error) {
      drained = false
      fleet.odd.push(String(error))
    }
    if (drained) await fleet.stop()
  } finally {
    clearInterval(telling)
    await fleet.end()
    load.close()
  }
  const { sent, answered, refused, repeated } = load
  const times = recovery.close()
  const found = await audit({ stage, answered, sent })
  const strikes = strike ? count : 0
  const kept = process.env.OBVERSE_KEEP !== undefined
  const place = await stage.close(kept)
  if (kept) console.log(`the stores are in ${place}`)
  return {
    ...found,
    name: scenario.name,
    stack: stack.name,
    seed,
    faults: fleet.kills + fleet.poisoned + stops + rolled.restarts + strikes + load.undone.size + absences,
    kills: fleet.kills,
    stops,
    restarts: rolled.restarts,
    strikes,
    undone: load.undone.size,
    absences,
    sent: sent.size,
    refused: refused.length,
    repeated,
    redelivered: fleet.redelivered,
    inHand: rolled.inHand,
    returned: fleet.returned,
    fenced: fleet.fenced,
    spent: fleet.spent.length,
    dead: fleet.dead,
    poisoned: fleet.poisoned,
    recovery: times,
    slowestLeave: Math.max(0, ...fleet.leaves),
    meanwhile: Number.isFinite(meanwhile) ? meanwhile : 0,
    drained,
    ...(parking && { parking }),
    odd: [...fleet.odd, ...refused, ...fleet.spent],
  }
}

/** Where positions are given after the commit, somebody has to. */
function processesOf({ processes }: Scenario, { store }: Stage): Scenario['processes'] {
  return store.dialect === 'postgres' ? { relay: 1, ...processes } : processes
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

function mortalOf(
  { chance = [], poison, replay: replays, rolling = [] }: Scenario,
  crash: NonNullable<Scenario['crash']>,
): ReadonlySet<Role> {
  const crashing = (Object.entries(crash) as [Role, CrashPlan][]).filter(([, { stop }]) => !stop).map(([role]) => role)
  return new Set([
    ...crashing,
    ...chance,
    ...rolling,
    ...(replays ? (['api'] as const) : []),
    ...(poison ? (['consumer'] as const) : []),
  ])
}
