import { handOver } from './hand-over.ts'
import type { Item } from './item.ts'
import type { InLine } from './lanes.ts'
import type { Session } from './session.ts'
import type { BatchSubscriber } from './subscriber.ts'

/**
 * Messages for one projection: what is there together is handed over together, one batch at a time, while later
 * ones gather. Order is that of arrival.
 */
export interface Batch extends InLine {
  readonly subscriber: BatchSubscriber
  /** True: it has to be put in line, where it is once. */
  add(item: Item): boolean
  /** True: its first item may start, and is counted as started. */
  admits(): boolean
  /** Hands over one batch. True: more is there. */
  run(): Promise<boolean>
}

export function createBatch(session: Session, subscriber: BatchSubscriber, admit: (item: Item) => boolean): Batch {
  const line: Item[] = []
  /** A redelivered batch ended its process before: its messages come one by one, so that one can be blamed. */
  let careful = false
  let inLine = false

  const take = (): Item[] => {
    const suspect = line[0]?.suspect === true
    if (!suspect) careful = false
    const most = careful ? 1 : session.channel.batch
    let count = 0
    while (count < most && count < line.length) {
      const item = line[count] as Item
      if (item.suspect !== suspect || !admit(item)) break
      count += 1
    }
    return line.splice(0, count)
  }
  return {
    lane: null,
    subscriber,
    get suspect() {
      return line[0]?.suspect === true
    },
    add(item) {
      line.push(item)
      if (inLine) return false
      inLine = true
      return true
    },
    admits: () => line[0] !== undefined && admit(line[0]),
    async run() {
      const items = take()
      const put = (back: readonly Item[]) => line.unshift(...back)
      const ended = await handOver(session, subscriber, items, put, () => {
        careful = true
      })
      const last = ended.filter(session.endPart)
      if (last.length > 0) await session.settle(last)
      inLine = line.length > 0
      return inLine
    },
  }
}
