import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../processes.ts'
import type { Fleet } from './fleet.ts'
import { ALONE } from './ledger/handlers.ts'
import type { Role } from './ledger/protocol.ts'
import type { Load } from './load.ts'
import type { Recovery } from './recovery.ts'
import type { Parking } from './report.ts'
import type { Rows } from './rows.ts'

export interface Scene {
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

/** Lets every process that has stopped itself sleep until others have taken over what it had, and continues it. */
export async function wakeZombies({ fleet, rows, recovery, patience }: Scene, stops: number): Promise<number> {
  for (let count = 0; count < stops; count += 1) {
    const zombie = await until('a process to stop itself', () => [...fleet.stopped][0], patience)
    const inHand = rows.inHand(zombie.pid)
    recovery.expect(inHand)
    const alone = () => fleet.stopped.size === fleet.ready(zombie.role).length
    await until('others to take over', () => alone() || rows.left(inHand) === 0, patience)
    const { resumed } = fleet
    zombie.signal('SIGCONT')
    await until('it to go on', () => fleet.resumed > resumed, patience)
  }
  fleet.disarm()
  return stops
}

/** Restarts that are too many for one message. */
export const TOO_MANY = 9
const AFTERWARDS = 60
const POISON = 'poison'

/** Sends one message that ends its process, and looks at what stands once it was given up. `undefined`: it was not. */
export async function sendPoison({ fleet, load, rows, patience }: Scene): Promise<Parking | undefined> {
  await until('some operations', () => load.answered.size >= 50, patience)
  load.add({ opId: POISON, key: 'key-0', amount: 1, poison: true })
  const dead = () => rows.one<Letter>(LETTER, POISON)
  await until('the message to be given up', () => dead() ?? fleet.poisoned >= TOO_MANY, patience)
  const letter = dead()
  if (!letter) return undefined
  const { place } = rows.one<{ place: number }>(LAST) ?? { place: 0 }
  const before = load.answered.size
  await until('more operations', () => load.answered.size >= before + AFTERWARDS, patience)
  load.end()
  await until('the rest to be handled', () => load.settled && rows.quiet(fleet.pids), patience)
  const told = rows.one<{ data: string }>(EVENT, POISON)?.data ?? ''
  const number = load.answered.get(POISON) ?? 0
  return {
    deadLetters: letter.letters,
    code: letter.code,
    body: JSON.stringify(JSON.parse(letter.body).data) === JSON.stringify(JSON.parse(told)),
    overtook: rows.one<{ count: number }>(OVERTOOK, `apply@${ALONE}`, 'key-0', number)?.count ?? 0,
    waiting: rows.one<{ count: number }>(WAITING)?.count ?? 0,
    others: rows.one<{ count: number }>(OTHERS, place, 'key-0')?.count ?? 0,
  }
}

/** Gives the poisoned message up for good, so that what waits behind it goes on. */
export async function giveUp({ fleet, rows, patience }: Scene): Promise<void> {
  fleet.ready('api')[0]?.tell({ do: 'skip' })
  await until('the dead letter to be skipped', () => rows.one<Letter>(LETTER, POISON) === undefined, patience)
}

interface Letter {
  readonly letters: number
  readonly code: string
  readonly body: string
}

const LETTER = `SELECT (SELECT count(*) FROM obverse_held WHERE state = 'dead') AS letters, code, body FROM obverse_held
  WHERE state = 'dead' AND body ->> '$.data.opId' = ?`
const LAST = 'SELECT max(place) AS place FROM effects'
const EVENT = "SELECT data FROM obverse_event WHERE data ->> 'opId' = ?"
const OVERTOOK = 'SELECT count(*) AS count FROM effects WHERE handler = ? AND key = ? AND number > ?'
const WAITING = "SELECT count(*) AS count FROM obverse_held WHERE state = 'waiting'"
const OTHERS = 'SELECT count(*) AS count FROM effects WHERE place > ? AND key <> ?'
