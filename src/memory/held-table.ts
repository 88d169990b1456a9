import type { Failure, HeldCount, HeldState } from 'obverse'
import { Heap } from './heap.ts'
import type { HeldEntry, HeldLane, Owner } from './rows.ts'

export type NewHeld = Pick<
  HeldEntry,
  'channel' | 'handler' | 'key' | 'messageId' | 'type' | 'at' | 'body' | 'ordered' | 'state' | 'attempts'
> &
  Partial<Pick<HeldEntry, 'retryAt' | 'code' | 'reason' | 'detail'>>

interface HeldCounts extends Pick<HeldCount, 'handler' | 'channel'> {
  readonly states: Record<HeldState, number>
}

export class HeldTable {
  readonly rows: Map<number, HeldEntry> = new Map()
  readonly #byMessage = new Map<string, HeldEntry>()
  readonly #lanes = new Map<string, HeldLane>()
  readonly #ready = new Map<string, Heap<HeldEntry>>()
  readonly #counts = new Map<string, HeldCounts>()
  #ids = 0

  /** The row of this message for this handler, whatever its state. */
  ofMessage(messageId: string, handler: string): HeldEntry | undefined {
    return this.#byMessage.get(`${messageId}\n${handler}`)
  }

  refusedBefore(messageId: string, channel: string, body: string): boolean {
    return this.#byMessage.get(refusedName(messageId, channel, body))?.state === 'dead'
  }

  /** The row that may run next in a lane, or that blocks it; `undefined`: nothing is held there. */
  head(handler: string, key: string): HeldEntry | undefined {
    const lane = this.#lanes.get(laneName(handler, key))
    return lane && headOf(lane)
  }

  behind(row: HeldEntry): number {
    return row.lane && headOf(row.lane) === row ? row.lane.size - 1 : 0
  }

  add(given: NewHeld, now: number): HeldEntry {
    this.#ids += 1
    const row: HeldEntry = {
      retryAt: 0,
      code: '',
      reason: '',
      detail: '',
      ...given,
      id: this.#ids,
      originalBody: undefined,
      note: undefined,
      owner: undefined,
      redelivered: false,
      lane: undefined,
      offered: 0,
      gone: false,
    }
    this.rows.set(row.id, row)
    const name = messageName(row)
    if (name !== undefined) this.#byMessage.set(name, row)
    this.#count(row, 1)
    if (row.ordered && row.handler !== null && row.key !== null) this.#join(row, laneName(row.handler, row.key))
    this.#offer(row, now)
    return row
  }

  /** Another state for a row, in its place; `inLane` false: it blocks nobody from now on. */
  change(row: HeldEntry, state: HeldState, now: number, inLane = true): void {
    this.#count(row, -1)
    row.state = state
    this.#count(row, 1)
    this.#disown(row)
    if (!inLane || state === 'skipped') this.#leaveLane(row, now)
    this.#offer(row, now)
  }

  fail(row: HeldEntry, failure: Failure, now: number, inLane: boolean): void {
    row.attempts = failure.attempts
    row.code = failure.code
    row.reason = failure.reason
    row.detail = failure.detail
    row.retryAt = failure.retryAt ?? 0
    row.at = now
    row.redelivered = false
    this.change(row, failure.retryAt === undefined ? 'dead' : 'retry', now, inLane)
  }

  remove(row: HeldEntry, now: number): void {
    if (row.gone) return
    row.gone = true
    this.rows.delete(row.id)
    const name = messageName(row)
    if (name !== undefined) this.#byMessage.delete(name)
    this.#count(row, -1)
    this.#disown(row)
    this.#leaveLane(row, now)
  }

  claim(owner: Owner, handlers: readonly string[], limit: number, now: number): readonly HeldEntry[] {
    const claimed: HeldEntry[] = []
    for (const handler of handlers) {
      const heap = this.#ready.get(handler)
      for (let row = heap && top(heap); heap && row && claimed.length < limit; row = top(heap)) {
        if (row.offered > now) break
        heap.pop()
        row.owner = owner
        owner.held.add(row)
        claimed.push(row)
      }
    }
    return claimed
  }

  /** Nobody has it any more; `lost`: its owner did not say so itself. */
  release(row: HeldEntry, now: number, lost: boolean): void {
    if (!row.owner) return
    this.#disown(row)
    if (lost) row.redelivered = true
    this.#offer(row, now)
  }

  nextDue(handlers: readonly string[]): number | undefined {
    let least: number | undefined
    for (const handler of handlers) {
      const heap = this.#ready.get(handler)
      const row = heap && top(heap)
      if (row && (least === undefined || row.offered < least)) least = row.offered
    }
    return least
  }

  *counts(): Generator<HeldCount> {
    for (const { handler, channel, states } of this.#counts.values()) {
      for (const [state, count] of Object.entries(states)) {
        if (count > 0) yield { handler, channel, state: state as HeldState, count }
      }
    }
  }

  clear(): void {
    for (const row of this.rows.values()) {
      row.gone = true
      this.#disown(row)
    }
    for (const map of [this.rows, this.#byMessage, this.#lanes, this.#ready, this.#counts]) map.clear()
  }

  #count(row: HeldEntry, by: number): void {
    const { handler, channel } = row
    const name = JSON.stringify([handler, channel])
    let counts = this.#counts.get(name)
    if (!counts) {
      counts = { handler, channel, states: { retry: 0, waiting: 0, dead: 0, skipped: 0 } }
      this.#counts.set(name, counts)
    }
    counts.states[row.state] += by
  }

  #join(row: HeldEntry, name: string): void {
    let lane = this.#lanes.get(name)
    if (!lane) {
      lane = { name, rows: new Heap(), size: 0 }
      this.#lanes.set(name, lane)
    }
    row.lane = lane
    lane.rows.push(row.id, row)
    lane.size += 1
  }

  #leaveLane(row: HeldEntry, now: number): void {
    const { lane } = row
    if (!lane) return
    row.lane = undefined
    lane.size -= 1
    const next = headOf(lane)
    if (next) this.#offer(next, now)
    else this.#lanes.delete(lane.name)
  }

  #disown(row: HeldEntry): void {
    row.owner?.held.delete(row)
    row.owner = undefined
  }

  /** Makes a row that may run, now or later, visible to claims. */
  #offer(row: HeldEntry, now: number): void {
    if (!mayRun(row)) return
    row.offered = row.state === 'retry' ? row.retryAt : now
    let heap = this.#ready.get(row.handler as string)
    if (!heap) {
      heap = new Heap()
      this.#ready.set(row.handler as string, heap)
    }
    heap.push(row.offered, row)
  }
}

/** By handler, or for what no handler was found for, by channel and bytes; nothing where the id could not be read. */
function messageName({ messageId, handler, channel, body, originalBody = body }: HeldEntry): string | undefined {
  if (messageId === null) return undefined
  return handler === null ? refusedName(messageId, channel, originalBody) : `${messageId}\n${handler}`
}

function refusedName(messageId: string, channel: string, body: string): string {
  return `${messageId}\n\n${channel}\n${body}`
}

function mayRun(row: HeldEntry): boolean {
  if (row.gone || row.owner || row.handler === null) return false
  if (row.state !== 'retry' && row.state !== 'waiting') return false
  return row.lane === undefined || headOf(row.lane) === row
}

function headOf(lane: HeldLane): HeldEntry | undefined {
  while (lane.rows.peek() && lane.rows.peek()?.lane !== lane) lane.rows.pop()
  return lane.rows.peek()
}

function top(heap: Heap<HeldEntry>): HeldEntry | undefined {
  for (let row = heap.peek(); row; row = heap.peek()) {
    if (heap.peekKey() === row.offered && mayRun(row)) return row
    heap.pop()
  }
  return undefined
}

function laneName(handler: string, key: string): string {
  return `${handler}\n${key}`
}
