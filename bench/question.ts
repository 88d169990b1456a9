/** One question, answered by what ours reaches beside what a twin does that an expert would write by hand. */
export interface Question {
  readonly name: string
  /** One line: what is measured, and against what. */
  readonly asks: string
  /** What one operation is: `commands/s`, `appends/s`. */
  readonly unit: string
  /** Ours ÷ twin that we mean to reach; above 1 = ours is the better. Without a twin: the times that we mean to stay within. */
  readonly reach: number | Latency
  /** Prepares both sides; `folder` is on a disk and empty. */
  prepare(folder: string): Promise<Sides | Unanswerable> | Sides
}

/** The question cannot be answered here, and nothing is measured. */
export interface Unanswerable {
  readonly why: string
}

/** What one run has shown: operations per second, how long things took, or both. */
export type Measure = number | Latency | (Latency & { readonly rate: number })

/** In milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

export interface Sides {
  /** One timed run. */
  ours(): Promise<Measure>
  /** Absent: nobody writes that by hand, and ours is judged by its times. */
  twin?(): Promise<Measure>
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

/** The two percentiles of what took so many milliseconds each. */
export function latency(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] as number
  return { p50: at(0.5), p99: at(0.99) }
}
