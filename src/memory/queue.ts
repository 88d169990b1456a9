import { bodyOf, completeBody, type Outgoing } from 'obverse'
import { Heap } from './heap.ts'
import type { Lane, Owner, QueueRow, RowQueue } from './rows.ts'

export interface TakeOptions {
  /** At most one row of a key is out, whoever has it. */
  readonly single: boolean
  /** Rows of events without a position are not ready. */
  readonly stamped: boolean
  /** Canary: keys are not kept together. */
  readonly anyLane: boolean
}

/** The messages of one channel: kept in order per key, taken by owners, given back in their place. */
export class Queue implements RowQueue {
  readonly channel: string
  readonly rows: Map<number, QueueRow> = new Map()
  /** Called when something may be there to take. */
  readonly listeners: Set<() => void> = new Set()
  unsettled = 0
  #later = 0
  readonly #lanes = new Map<string, Lane>()
  readonly #loose = new Heap<QueueRow>()
  readonly #ready = new Heap<Lane>()
  /** Rows that become due, and failed ones whose pause ends. */
  readonly #timed = new Heap<QueueRow>()

  constructor(channel: string) {
    this.channel = channel
  }

  add(row: QueueRow, now: number): void {
    this.rows.set(row.id, row)
    if (row.due > now) {
      this.#later += 1
      this.#timed.push(row.due, row)
    } else this.#enter(row)
    this.changed()
  }

  changed(): void {
    for (const listener of this.listeners) listener()
  }

  /** The oldest row that `owner` may have now, as far as its key allows; it is out until settled or given back. */
  take(owner: Owner, now: number, options: TakeOptions): QueueRow | undefined {
    this.ripen(now)
    const loose = this.#nextLoose()
    const free = this.#nextLane(this.#ready, undefined, now, options)
    const mine = options.single ? undefined : this.#nextLane(owner.lanes, owner, now, options)
    const lane = !mine || (free && headId(free) < headId(mine)) ? free : mine
    if (lane && (!loose || headId(lane) < loose.id)) return this.#takeFrom(lane, owner, options)
    if (!loose) return undefined
    this.#loose.pop()
    return this.#own(loose, owner)
  }

  /** Id of the row that `take` would look at first; for taking the oldest of several queues. */
  oldestReady(now: number, options: TakeOptions): number | undefined {
    this.ripen(now)
    const loose = this.#nextLoose()?.id ?? Number.POSITIVE_INFINITY
    const lane = this.#nextLane(this.#ready, undefined, now, options)
    const least = Math.min(loose, lane ? headId(lane) : Number.POSITIVE_INFINITY)
    return least === Number.POSITIVE_INFINITY ? undefined : least
  }

  /** The row goes for good. */
  remove(row: QueueRow): void {
    if (row.gone) return
    if (row.due > 0) this.#later -= 1
    row.gone = true
    this.rows.delete(row.id)
    this.#leave(row)
    this.changed()
  }

  /** The row waits again, in its place; not before `retryAt`. */
  giveBack(row: QueueRow, retryAt = 0): void {
    if (row.gone || !row.owner) return
    row.retryAt = retryAt
    if (row.key === null) {
      if (retryAt === 0) this.#loose.push(row.id, row)
    } else this.#lane(row.key).waiting.push(row.id, row)
    if (retryAt > 0) this.#timed.push(retryAt, row)
    this.#leave(row)
    this.changed()
  }

  /** An event got its position: its key may go on. */
  stamped(row: QueueRow): void {
    const lane = row.key === null ? undefined : this.#lanes.get(row.key)
    if (lane) this.#offer(lane)
    this.changed()
  }

  /** Lets in what has become due. */
  ripen(now: number): void {
    for (let at = this.#timed.peekKey(); at !== undefined && at <= now; at = this.#timed.peekKey()) {
      const row = this.#timed.pop() as QueueRow
      if (row.gone || row.owner) continue
      if (row.due > 0) this.#later -= 1
      if (row.due > 0 || row.key === null) this.#enter(row)
      else this.#offer(this.#lane(row.key))
    }
  }

  /** Epoch ms at which `ripen` has something to do. */
  nextDue(): number | undefined {
    while (this.#timed.peek()?.gone) this.#timed.pop()
    return this.#timed.peekKey()
  }

  /** Rows that are due, taken or not. */
  get size(): number {
    return this.rows.size - this.#later
  }

  /** Due rows that nobody has, oldest first. */
  *waiting(now: number): Generator<QueueRow> {
    this.ripen(now)
    for (const row of this.rows.values()) if (!row.owner && row.due === 0) yield row
  }

  clear(): void {
    for (const row of this.rows.values()) {
      row.gone = true
      row.owner?.rows.delete(row)
    }
    this.rows.clear()
    this.#lanes.clear()
    for (const heap of [this.#loose, this.#ready, this.#timed]) heap.clear()
    this.unsettled = 0
    this.#later = 0
  }

  #enter(row: QueueRow): void {
    row.due = 0
    if (row.key === null) {
      this.#loose.push(row.id, row)
      return
    }
    const lane = this.#lane(row.key)
    lane.waiting.push(row.id, row)
    if (lane.waiting.peek() === row) this.#offer(lane)
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key)
    if (!lane) {
      lane = { key, waiting: new Heap(), owner: undefined, taken: 0 }
      this.#lanes.set(key, lane)
    }
    return lane
  }

  /** Puts a lane where those look who may take its head. */
  #offer(lane: Lane): void {
    if (lane.owner && lane.taken >= lane.owner.perKey) return
    const head = headOf(lane)
    if (head) (lane.owner ? lane.owner.lanes : this.#ready).push(head.id, lane)
  }

  #nextLoose(): QueueRow | undefined {
    while (this.#loose.peek()?.gone) this.#loose.pop()
    return this.#loose.peek()
  }

  #nextLane(heap: Heap<Lane>, owner: Owner | undefined, now: number, options: TakeOptions): Lane | undefined {
    for (let lane = heap.peek(); lane; lane = heap.peek()) {
      const head = lane.owner === owner || options.anyLane ? headOf(lane) : undefined
      const unstamped = options.stamped && head?.event !== undefined && head.event.position === undefined
      if (head && head.id === heap.peekKey() && head.retryAt <= now && !unstamped) return lane
      heap.pop()
    }
    return undefined
  }

  #takeFrom(lane: Lane, owner: Owner, { anyLane, single }: TakeOptions): QueueRow {
    const row = lane.waiting.pop() as QueueRow
    lane.owner = anyLane ? undefined : owner
    lane.taken += 1
    if (anyLane || !single) this.#offer(lane)
    return this.#own(row, owner)
  }

  #own(row: QueueRow, owner: Owner): QueueRow {
    row.owner = owner
    owner.rows.add(row)
    this.unsettled += 1
    return row
  }

  /** After a row went or came back: its owner has it no longer, and the lane is free once the owner has none of it. */
  #leave(row: QueueRow): void {
    const lane = row.key === null ? undefined : this.#lanes.get(row.key)
    if (row.owner) {
      row.owner.rows.delete(row)
      row.owner = undefined
      row.taken = true
      this.unsettled -= 1
      if (lane) lane.taken -= 1
    }
    if (!lane) return
    if (lane.taken === 0) lane.owner = undefined
    if (headOf(lane)) this.#offer(lane)
    else if (lane.taken === 0) this.#lanes.delete(lane.key)
  }
}

/** The text of a row, complete as far as it is known. */
export function bodyOfRow({ raw, message, event }: QueueRow): string {
  if (raw !== undefined) return raw
  return completeBody(bodyOf(message as Outgoing), event?.seq ?? null, event?.position ?? null)
}

function headOf(lane: Lane): QueueRow | undefined {
  while (lane.waiting.peek()?.gone) lane.waiting.pop()
  return lane.waiting.peek()
}

function headId(lane: Lane): number {
  return headOf(lane)?.id ?? Number.POSITIVE_INFINITY
}
