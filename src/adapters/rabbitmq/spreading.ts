import { type Runtime, sleep } from 'obverse'
import type { Members } from './members.ts'

export interface SpreadingOptions {
  readonly runtime: Runtime
  /** Of the settings. */
  readonly every: number
  readonly partitions: number
  readonly members: Members
  /** Partitions whose messages come here now; the one to leave first is last. */
  readonly active: () => readonly number[]
  /** False: messages of it are open for too long, and it is kept. */
  readonly leave: (partition: number) => Promise<boolean>
}

/** Milliseconds of rest after a partition could not be left: its messages had to wait for that. */
const REST = 60_000

/**
 * Shares the partitions of a channel among the processes that subscribe to it. A partition is with whoever came first, so the first process
 * would have them all: who has more than its share gives up one at a time, to the one that has waited longest for it. That is the one that
 * came last: given on by each that has its share already, it reaches one that has not.
 */
export class Spreading {
  readonly #options: SpreadingOptions
  readonly #end = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: SpreadingOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** What is being left is not waited for. */
  async close(): Promise<void> {
    this.#end.abort()
    await this.#options.members.close()
  }

  async #run(): Promise<void> {
    const { runtime, every, members } = this.#options
    const { signal } = this.#end
    await members.count()
    while (!signal.aborted) {
      await sleep(runtime, every * (1 + runtime.random() / 2), signal)
      if (!signal.aborted && !(await this.#look())) await sleep(runtime, REST, signal)
    }
  }

  async #look(): Promise<boolean> {
    const { partitions, members, active, leave } = this.#options
    const count = await members.count()
    if (count === undefined || count < 2 || this.#end.signal.aborted) return true
    const mine = active()
    const last = mine.at(-1)
    if (last === undefined || mine.length <= Math.ceil(partitions / count)) return true
    return leave(last)
  }
}
