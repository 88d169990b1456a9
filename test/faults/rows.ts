import { setTimeout as pause } from 'node:timers/promises'
import { ALONE, SHARED } from './ledger/handlers.ts'
import { countIn, marks, type Sql } from './sql.ts'
import type { Stage } from './stack.ts'

const QUEUED = 'SELECT count(*) AS count FROM obverse_queue'
const HELD = "SELECT count(*) AS count FROM obverse_held WHERE state IN ('retry', 'waiting')"
const OWNERS = 'SELECT pid FROM obverse_owner'
/** Held rows that will go on by themselves: all but those behind a dead letter. */
const GOING_ON = `SELECT count(*) AS count FROM obverse_held h WHERE state IN ('retry', 'waiting') AND NOT EXISTS
  (SELECT 1 FROM obverse_held d WHERE d.state = 'dead' AND d.handler = h.handler AND d.key = h.key AND d.id < h.id)`
/** Where positions are given after the commit, the others are not in the log yet. */
const HEAD: Readonly<Record<Sql['dialect'], string>> = {
  sqlite: 'SELECT coalesce(max(position), 0) AS count FROM obverse_event',
  postgres: `SELECT CASE WHEN EXISTS (SELECT FROM obverse_unstamped) THEN 2000000000
    ELSE (SELECT coalesce(max(position), 0) FROM obverse_position) END AS count`,
}
const EFFECTS = '(SELECT count(DISTINCT e.handler) FROM effects e WHERE e.op_id = l.op_id)'
const HANDLERS = [ALONE, SHARED].length
/** Open operations of which is known how long they took. */
const WATCHED = 100
/** Longer than what is on its way between a broker and a process is on it. */
const TRANSIT = 60

/** What can be seen of a run from beside it, while it goes on. Rejects while a server is away. */
export class Rows {
  readonly #stage: Stage
  /** Deliveries that processes have taken and not acknowledged. */
  readonly #open: () => Promise<number>
  readonly #followed: readonly string[]
  #lowest = 0

  /** `followed`: the projections that have to have come to the end of the log. */
  constructor(stage: Stage, open: () => Promise<number>, followed: readonly string[]) {
    this.#stage = stage
    this.#open = open
    this.#followed = followed
  }

  /** Messages that wait: queued, in the outbox, in the broker, with a process, held. */
  async backlog(): Promise<number> {
    const { store, queues, waiting } = this.#stage
    const counts = await Promise.all([
      ...queues.map((sql) => countIn(sql, QUEUED)),
      countIn(store, HELD),
      this.#open(),
      waiting().then(sum, () => 0),
    ])
    return counts.reduce((all, count) => all + count, 0)
  }

  /** Operations that are committed and have not had all their effects, the oldest of them. */
  async open(): Promise<readonly string[]> {
    const rows = await this.#stage.store.all<{ op_id: string; place: number }>(
      `SELECT op_id, place FROM ledger l WHERE place >= ? AND ${EFFECTS} < ${HANDLERS} ORDER BY place LIMIT ${WATCHED}`,
      this.#lowest,
    )
    // what commits late comes in below; it is only not watched
    if (rows[0]) this.#lowest = rows[0].place
    return rows.map(({ op_id }) => op_id)
  }

  /** How many of these have had all their effects. */
  async done(opIds: readonly string[]): Promise<number> {
    if (opIds.length === 0) return 0
    return countIn(
      this.#stage.store,
      `SELECT count(*) AS count FROM ledger l WHERE op_id IN (${marks(opIds)}) AND ${EFFECTS} >= ${HANDLERS}`,
      ...opIds,
    )
  }

  effects(): Promise<number> {
    return countIn(this.#stage.store, 'SELECT count(*) AS count FROM effects')
  }

  /** As many as there are to be. */
  messages(): Promise<number> {
    return countIn(this.#stage.store, `SELECT ${HANDLERS} * count(*) AS count FROM ledger`)
  }

  /** Nothing is left that would go on by itself, and nobody is on record but the living. Looked for where it comes from first. */
  async quiet(pids: ReadonlySet<number>): Promise<boolean> {
    try {
      if (!(await this.#still(pids))) return false
      await pause(TRANSIT)
      return await this.#still(pids)
    } catch {
      return false // a server is not back yet
    }
  }

  async #still(pids: ReadonlySet<number>): Promise<boolean> {
    const { store, queues, waiting, checkpoints } = this.#stage
    for (const sql of queues) if ((await countIn(sql, QUEUED)) > 0) return false
    if (sum(await waiting()) > 0 || (await this.#open()) > 0) return false
    if ((await countIn(store, GOING_ON)) > 0) return false
    const head = await countIn(store, HEAD[store.dialect])
    const positions = await checkpoints()
    if (this.#followed.some((name) => (positions.get(name) ?? 0) < head)) return false
    for (const sql of queues) {
      const owners = await sql.all<{ pid: number }>(OWNERS)
      if (!owners.every(({ pid }) => pids.has(pid))) return false
    }
    return true
  }

  all<Row>(text: string, ...values: readonly (string | number)[]): Promise<Row[]> {
    return this.#stage.store.all<Row>(text, ...values)
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0)
}
