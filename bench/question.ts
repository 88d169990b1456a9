/** One question, answered by what ours reaches beside what a twin does that an expert would write by hand. */
export interface Question {
  readonly name: string
  /** One line: what is measured, and against what. */
  readonly asks: string
  /** What one operation is: `commands/s`, `appends/s`. */
  readonly unit: string
  /** Ours ÷ twin that we mean to reach; above 1 = ours is the better. */
  readonly reach: number
  /** Prepares both sides; `folder` is on a disk and empty. */
  prepare(folder: string): Promise<Sides | Unanswerable> | Sides
}

/** The question cannot be answered here, and nothing is measured. */
export interface Unanswerable {
  readonly why: string
}

/** What one run has shown: operations per second, or how long things took. */
export type Measure = number | Latency

/** In milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

export interface Sides {
  /** One timed run. */
  ours(): Promise<Measure>
  twin(): Promise<Measure>
  /** Other libraries, by name; run only when asked for. */
  readonly peers?: Readonly<Record<string, () => Promise<number>>>
  close?(): Promise<void> | void
}

/** Runs `operation` about `ms` milliseconds in slices and returns operations per second. */
export async function rate(ms: number, slice: number, operations: (count: number) => Promise<void>): Promise<number> {
  const start = performance.now()
  let done = 0
  let elapsed = 0
  do {
    await operations(slice)
    done += slice
    elapsed = performance.now() - start
  } while (elapsed < ms)
  return (done / elapsed) * 1_000
}

/** Keeps `inFlight` calls of `operation` under way until `count` have ended. */
export async function pump(count: number, inFlight: number, operation: () => Promise<unknown>): Promise<void> {
  let left = count
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await operation()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}
