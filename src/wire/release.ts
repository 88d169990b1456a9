import type { HeldRow } from './held.ts'
import { heldItemOf, type Item } from './item.ts'
import type { Session } from './session.ts'
import { watchedLoop } from './watched-loop.ts'

/** Milliseconds between looks for heads that another process or an operator has made due. */
const LOOK = 1_000
/** Milliseconds between looks that commits ask for. */
const CALM = 100
const MOST = 500

/**
 * Brings held rows back when they are due: the head of each lane, then, as soon as it is done, the next. They go the
 * way of fresh messages, so that they share their lanes and their room.
 */
export interface Release {
  start(): void
  /** A head is due, now or at `at` (epoch ms). */
  due(at?: number): void
  /** Something was committed somewhere: look, but not on every commit. */
  hint(): void
  /** A head that was brought has ended. */
  ended(item: Item): void
  /** True while a claim is under way. */
  readonly busy: boolean
  /** Ends, and gives back what was claimed and has not ended. */
  stop(): Promise<void>
}

export function createRelease(
  session: Session,
  push: (item: Item) => void,
  pump: () => void,
  flows: () => boolean,
): Release {
  const { held, owner, runtime, registry, router, channel, tally, observe } = session
  const subscribers = new Map(router.on(channel.name).map((one) => [one.name, one]))
  const names = [...subscribers.keys()]
  const batches = [...subscribers.values()].some((one) => one.handleBatch)
  const capacity = Math.max(2 * channel.concurrency, batches ? channel.batch : 0)
  const recordAttempts = !runtime.without?.has('attempt-first')
  const out = new Set<number>()
  let busy = false
  let timer: { readonly at: number; cancel(): void } | undefined
  let lastLook = Number.NEGATIVE_INFINITY
  let cancelHint: (() => void) | undefined

  const wakeAt = (at: number) => {
    if (timer && timer.at <= at) return
    timer?.cancel()
    const cancel = runtime.after(Math.max(1, at - runtime.now()), () => {
      timer = undefined
      loop.wake()
    })
    timer = { at, cancel }
  }
  const bring = (row: HeldRow) => {
    const subscriber = subscribers.get(row.handler)
    if (!subscriber) return
    out.add(row.heldId)
    push(heldItemOf(row, registry, subscriber, recordAttempts))
  }
  const step = async (): Promise<boolean> => {
    const room = Math.min(capacity - out.size, tally.room(), MOST)
    if (!flows() || room < 1) return false
    lastLook = runtime.elapsed()
    busy = true
    try {
      const rows = await held.claim(owner, names, room)
      for (const row of rows) bring(row)
      pump()
      if (rows.length === room) return true
      const next = await held.nextDue(names)
      // what is due and was not given has another owner for now: the next look is soon enough
      if (next !== undefined && next > runtime.now()) wakeAt(next)
      return false
    } finally {
      busy = false
    }
  }
  const loop = watchedLoop({ name: `release ${channel.name}`, step, idle: LOOK, runtime, observe })
  return {
    start: () => (names.length > 0 ? loop.start() : undefined),
    due: (at) => (at === undefined ? loop.wake() : wakeAt(at)),
    hint() {
      if (cancelHint || !loop.running) return
      const wait = lastLook + CALM - runtime.elapsed()
      if (wait <= 0) return loop.wake()
      cancelHint = runtime.after(wait, () => {
        cancelHint = undefined
        loop.wake()
      })
    },
    ended({ held: row }) {
      if (row && out.delete(row.heldId)) loop.wake()
    },
    get busy() {
      return busy
    },
    async stop() {
      timer?.cancel()
      cancelHint?.()
      await loop.stop()
      if (out.size > 0) await held.release(owner, [...out])
    },
  }
}
