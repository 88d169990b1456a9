import type { Quarantine } from './quarantine.ts'
import type { Slots } from './slots.ts'

/** Work that has a place in line. */
export interface InLine {
  /** Work of one lane runs one after the other, in order of arrival; `null`: whenever there is room. */
  readonly lane: string | null
  /** It may have ended its process before: one of these at a time in the whole process. */
  readonly suspect: boolean
}

/** Runs work: one at a time in each lane, lanes side by side, at most `concurrency` at once. */
export interface Lanes<W extends InLine> {
  /** Puts it in line; `pump` starts what may start, so that what comes together is seen together. */
  push(work: W): void
  pump(): void
  /** Work that was pushed and has not ended. */
  readonly open: number
  readonly running: number
  /** Resolves when nothing runs. */
  quiet(): Promise<void>
  /** Leaves the slots; what has not started never does. */
  close(): void
}

export interface LanesOptions<W extends InLine> {
  readonly concurrency: number
  readonly slots: Slots
  readonly quarantine: Quarantine
  /** False: nothing may start now. */
  readonly flows: () => boolean
  /** False: this one may not start now; one behind it may. */
  readonly admit: (work: W) => boolean
  /** Work that rejects has ended, too. */
  readonly perform: (work: W) => Promise<void>
  /** Tests only: lanes keep no order. */
  readonly unordered?: boolean
}

export function createLanes<W extends InLine>(options: LanesOptions<W>): Lanes<W> {
  const { concurrency, slots, quarantine, flows, admit, perform, unordered = false } = options
  /** Lanes in which work is ready or runs, with what waits behind it. */
  const lanes = new Map<string, W[]>()
  const ready: W[] = []
  const suspects: W[] = []
  let open = 0
  let running = 0
  let quiet: (() => void)[] = []

  const enqueue = (work: W) => (work.suspect ? suspects : ready).push(work)

  const end = (work: W, confined: boolean) => {
    open -= 1
    running -= 1
    if (work.lane !== null && !unordered) {
      const next = lanes.get(work.lane)?.shift()
      if (next) enqueue(next)
      else lanes.delete(work.lane)
    }
    if (confined) quarantine.leave()
    slots.give()
    if (running > 0) return
    const resolvers = quiet
    quiet = []
    for (const resolve of resolvers) resolve()
  }
  const run = (work: W, confined: boolean): true => {
    running += 1
    const over = () => end(work, confined)
    perform(work).then(over, over)
    return true
  }
  const start = (): boolean => {
    if (running >= concurrency || !flows()) return false
    if (suspects.length > 0 && quarantine.tryEnter()) {
      const suspect = takeFirst(suspects, admit)
      if (suspect) return run(suspect, true)
      quarantine.withdraw()
    }
    const work = takeFirst(ready, admit)
    return work !== undefined && run(work, false)
  }
  const leaveSlots = slots.join(start)
  const leaveQuarantine = quarantine.join(() => {
    if (suspects.length > 0) slots.pump()
  })
  return {
    push(work) {
      open += 1
      const behind = work.lane === null || unordered ? undefined : lanes.get(work.lane)
      if (behind) {
        behind.push(work)
        return
      }
      if (work.lane !== null && !unordered) lanes.set(work.lane, [])
      enqueue(work)
    },
    pump: () => slots.pump(),
    get open() {
      return open
    },
    get running() {
      return running
    },
    quiet: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => quiet.push(resolve))),
    close() {
      leaveSlots()
      leaveQuarantine()
    },
  }
}

function takeFirst<W>(line: W[], admit: (work: W) => boolean): W | undefined {
  for (let place = 0; place < line.length; place += 1) {
    if (admit(line[place] as W)) return place === 0 ? line.shift() : line.splice(place, 1)[0]
  }
  return undefined
}
