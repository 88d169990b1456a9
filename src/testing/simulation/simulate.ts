import type { Message, OpenStore } from 'obverse'
import { Client } from './client.ts'
import { Cluster, type Compose } from './cluster.ts'
import type { Effect } from './history.ts'
import { violations } from './invariants.ts'
import type { Mutation } from './mutation.ts'
import type { Faulted, SimulationReport } from './report.ts'
import { settled } from './rest.ts'
import { strike } from './strike.ts'
import { calm, temperOf } from './temper.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  /** The same seed is the same run: which processes there are, what goes wrong, and when. */
  readonly seed: number
  /** One process: `(parts, host) => createApp({ handlers, projections, ...parts })`. Called again for each that is started. */
  readonly compose: Compose
  /** What clients do while things go wrong. */
  readonly load: (client: Client) => Promise<void>
  /**
   * What people do when all has come to rest, and nothing goes wrong any more: handle dead letters, ask queries. Resolves with what should
   * hold and does not, in words, besides what is looked at for every application.
   */
  readonly after?: (rest: AtRest) => Promise<readonly string[]>
  /** Keep the schedule, line by line. Default false. */
  readonly schedule?: boolean
  /** Tests of Obverse itself: protections that are switched off. */
  readonly without?: readonly Mutation[]
}

/** An application that has come to rest. */
export interface AtRest {
  readonly client: Client
  /** What the processes have shared, to look at. */
  readonly store: OpenStore
  readonly effects: readonly Effect[]
  readonly faults: Readonly<Faulted>
  /** Resolves when all has come to rest once more. */
  settled(): Promise<void>
}

/** Milliseconds of simulated time, at most, in which things go wrong, … */
const BAD = 15_000
/** … and in which everything is done, and comes to rest, after that. */
const REST = 300_000

/**
 * Runs an application of several processes, in memory, under a seeded scheduler: processes are killed, frozen and started again, links
 * are slow and cut, answers are lost, messages come again. Then all is mended, and what has to hold is looked at.
 *
 * Nothing in it waits for real time. What asks the machine for time or chance, instead of `ctx` or `host`, makes runs of one seed differ.
 *
 * @example
 * const { violations } = await simulate({
 *   seed: 7,
 *   compose: (parts) => createApp({ handlers: [placeOrder, mailOnPlaced], ...parts }),
 *   load: commands(20, (n) => PlaceOrder({ orderId: `order ${n % 5}` })),
 * })
 * assert.deepEqual(violations, [])
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, compose, load, after, schedule = false, without = [] } = options
  const world = new World(seed, schedule)
  const temper = temperOf(world)
  const cluster = new Cluster({ world, compose, without: new Set(without), restart: 2_500, ...temper })
  const client = new Client(cluster, world)
  const faults: Faulted = { kills: 0, freezes: 0, cuts: 0, skews: 0, forgotten: 0 }
  const found: string[] = []
  cluster.start()
  const loading = watched(load(client), found)
  const misfortune = { over: false }
  void strike(world, cluster, faults, misfortune)
  await world.run(() => loading.over, world.between(2_000, BAD))
  misfortune.over = true
  faults.kills = cluster.kills
  calm(temper, cluster, world)
  if (!(await world.run(() => loading.over, REST))) found.push(`the load was not done ${REST} ms after all was mended`)
  const resting = watched(settled(world, cluster), found)
  if (!(await world.run(() => resting.over, REST)))
    found.push(`nothing had come to rest ${REST} ms after all was mended`)
  const store = cluster.bare
  if (after && store && found.length === 0) {
    const rest: AtRest = {
      client,
      store,
      effects: cluster.history.effects,
      faults,
      settled: () => settled(world, cluster),
    }
    const ended = watched(
      after(rest).then((wrong) => void found.push(...wrong)),
      found,
    )
    if (!(await world.run(() => ended.over, REST))) found.push(`what people do was not done within ${REST} ms`)
  }
  found.push(...(await violations(cluster)))
  cluster.end()
  return {
    seed,
    violations: found,
    commands: client.sent,
    effects: cluster.history.effects.length,
    faults,
    ms: Math.round(world.elapsed),
    steps: world.steps,
    fingerprint: world.fingerprint,
    ...(world.lines && { schedule: world.lines }),
  }
}

/** A load for `simulate`: `count` commands, one after the other, each `command(n, random)`. */
export function commands(
  count: number,
  command: (n: number, random: () => number) => Message<string, unknown, 'command'>,
): SimulationOptions['load'] {
  return async (client) => {
    for (let n = 1; n <= count; n += 1) {
      await client.send(command(n, client.random))
      await client.pause(client.world.between(0, 100))
    }
  }
}

/** A load that throws is a violation. */
function watched(work: Promise<void>, found: string[]): { over: boolean } {
  const state = { over: false }
  work
    .catch((error: unknown) => {
      found.push(`${error instanceof Error ? error.stack : String(error)}`)
    })
    .finally(() => {
      state.over = true
    })
  return state
}
