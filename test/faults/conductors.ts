import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../processes.ts'
import type { Fleet } from './fleet.ts'
import { ALONE } from './ledger/handlers.ts'
import type { Op } from './ledger/messages.ts'
import type { Letter, Role } from './ledger/protocol.ts'
import type { Load } from './load.ts'
import type { Recovery } from './recovery.ts'
import type { Parking } from './report.ts'
import type { Rows } from './rows.ts'
import { countIn } from './sql.ts'
import type { Stage } from './stack.ts'

export interface Scene {
  readonly stage: Stage
  readonly fleet: Fleet
  readonly load: Load
  readonly rows: Rows
  readonly recovery: Recovery
  readonly random: () => number
  /** Milliseconds after which whatever is waited for will not come. */
  readonly patience: number
}

/** Milliseconds between kills, on average. */
const MEAN = 250

/** Kills one of `roles` every now and then (a Poisson process) until there were `kills`. */
export async function killByChance({ fleet, random }: Scene, roles: readonly Role[], kills: number): Promise<void> {
  while (fleet.kills < kills && fleet.odd.length === 0) {
    await pause(-Math.log(1 - random()) * MEAN)
    const candidates = roles.flatMap((role) => fleet.ready(role))
    candidates[Math.floor(random() * candidates.length)]?.signal('SIGKILL')
  }
}

/** Asks processes to leave, one after the other, each when the load has gone on for a while. */
export async function roll(scene: Scene, roles: readonly Role[], restarts: number): Promise<Rolled> {
  const { fleet, load, rows, patience } = scene
  let inHand = 0
  for (let count = 0; count < restarts; count += 1) {
    const before = load.answered.size
    await until('the load to go on', () => fleet.odd.length > 0 || load.answered.size >= before + 10, patience)
    if (fleet.odd.length > 0) return { restarts: count, inHand }
    const [oldest] = fleet.ready(roles[count % roles.length])
    const applied = await rows.effects()
    if (oldest) await fleet.relieve(oldest)
    if (oldest?.role === 'consumer') inHand += (await rows.messages()) - applied
  }
  return { restarts, inHand }
}

export interface Rolled {
  readonly restarts: number
  /** Messages that were on their way while consumers left. */
  readonly inHand: number
}

/** Lets every process that has stopped itself sleep until others have taken over what it had, and continues it. */
export async function wakeZombies({ fleet, rows, recovery, patience }: Scene, stops: number): Promise<number> {
  for (let count = 0; count < stops; count += 1) {
    const zombie = await until('a process to stop itself', () => [...fleet.stopped][0], patience)
    const open = await recovery.expect()
    const alone = () => fleet.stopped.size === fleet.ready(zombie.role).length
    await until('others to take over', async () => alone() || (await rows.done(open)) === open.length, patience)
    const { resumed } = fleet
    zombie.signal('SIGCONT')
    await until('it to go on', () => fleet.resumed > resumed, patience)
  }
  fleet.disarm()
  return stops
}

/** Lets what handlers depend on go away, each time until somebody has met that and until effects go on after its return. */
export async function loseDependency({ fleet, load, rows, patience }: Scene, times: number): Promise<number> {
  const tell = (away: boolean) => {
    for (const consumer of fleet.ready('consumer')) consumer.tell({ do: 'dependency', away })
  }
  for (let count = 0; count < times; count += 1) {
    const [before, answered] = [fleet.outages, load.answered.size]
    tell(true)
    const blamed = () => fleet.spent.length > 0
    await until('somebody to notice', () => blamed() || fleet.outages > before, patience)
    tell(false)
    if (blamed()) return count
    const effects = await rows.effects()
    await until('effects to go on', async () => (await rows.effects()) > effects, patience)
    await until('the load to go on', () => load.answered.size > answered, patience)
  }
  return times
}

/** Messages that are given up before they are sent again. */
const GIVEN_UP = 200

/** Lets handlers give up many messages, then sends these to them again until none is left, and kills who does so. */
export async function replay({ fleet, load, rows, random, patience }: Scene, kills: number): Promise<void> {
  const refuse = (all: boolean) => {
    for (const consumer of fleet.ready('consumer')) consumer.tell({ do: 'refuse', all })
  }
  load.makeRoom(2 * GIVEN_UP)
  refuse(true)
  await until('messages to be given up', () => fleet.dead >= GIVEN_UP, patience)
  refuse(false)
  const left = async () => Number((await rows.all<{ count: number }>(DEAD))[0]?.count ?? 0)
  while ((await left()) > 0 && fleet.odd.length === 0) {
    const replayer = await until('somebody to send them again', () => fleet.ready('api')[0], patience)
    replayer.tell({ do: 'retry' })
    await pause(random() * 40)
    if (fleet.kills >= kills) continue
    replayer.signal('SIGKILL')
    await until('it to have ended', () => replayer.state === 'ended', patience)
  }
  load.makeRoom(-2 * GIVEN_UP)
}

const DEAD = "SELECT count(*) AS count FROM obverse_held WHERE state = 'dead'"

/** Restarts that are too many for one message. */
export const TOO_MANY = 9
const AFTERWARDS = 60
const POISON = 'poison'

/** Sends one message that ends its process, and looks at what stands once it was given up. `undefined`: it was not. */
export async function sendPoison({ stage, fleet, load, rows, patience }: Scene): Promise<Parking | undefined> {
  await until('some operations', () => load.answered.size >= 50, patience)
  load.add({ opId: POISON, key: 'key-0', amount: 1, poison: true })
  const given = () => fleet.dead > 0 || fleet.poisoned >= TOO_MANY
  await until('the message to be given up', given, patience)
  if (fleet.dead === 0) return undefined
  const [{ place = 0 } = {}] = await rows.all<{ place: number }>('SELECT max(place) AS place FROM effects')
  const before = load.answered.size
  await until('more operations', () => load.answered.size >= before + AFTERWARDS, patience)
  load.end()
  await until('the rest to be handled', async () => load.settled && (await rows.quiet(fleet.pids)), patience)
  const letters = (await fleet.ready('api')[0]?.letters()) ?? []
  const mine = letters.find((letter) => opOf(letter).opId === POISON)
  const number = load.answered.get(POISON) ?? 0
  return {
    deadLetters: letters.length,
    code: mine?.code ?? '',
    body: JSON.stringify(mine && opOf(mine)) === JSON.stringify({ ...load.sent.get(POISON), number }),
    overtook: await countIn(stage.store, OVERTOOK, `apply@${ALONE}`, 'key-0', number),
    waiting: await countIn(stage.store, WAITING),
    others: await countIn(stage.store, OTHERS, place, 'key-0'),
  }
}

/** Gives the poisoned message up for good, so that what waits behind it goes on. */
export async function giveUp({ fleet, patience }: Scene): Promise<void> {
  const [api] = fleet.ready('api')
  api?.tell({ do: 'skip' })
  await until('the dead letter to be skipped', async () => (await api?.letters())?.length === 0, patience)
}

function opOf({ body }: Letter): Op {
  return JSON.parse(body).data
}

const OVERTOOK = 'SELECT count(*) AS count FROM effects WHERE handler = ? AND key = ? AND number > ?'
const WAITING = "SELECT count(*) AS count FROM obverse_held WHERE state = 'waiting'"
const OTHERS = 'SELECT count(*) AS count FROM effects WHERE place > ? AND key <> ?'
