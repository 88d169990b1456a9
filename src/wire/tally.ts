/** Counts the messages of a consumer, and how many more it may start. */
export interface Tally {
  /** True: one more message may start, and is counted as started. */
  admit(): boolean
  /** A message that was started turned out to be somebody else's. */
  takeBack(): void
  /** Messages that may still start. */
  room(): number
  /** One message was settled: handled, held or given up. */
  settled(): void
  /** One attempt failed. */
  failed(): void
  readonly counts: { readonly settled: number; readonly failed: number }
}

/** `onChange` is called after every count. */
export function createTally(limit: number = Number.POSITIVE_INFINITY, onChange?: () => void): Tally {
  const counts = { settled: 0, failed: 0 }
  let started = 0
  return {
    admit() {
      if (started >= limit) return false
      started += 1
      return true
    },
    takeBack() {
      started -= 1
    },
    room: () => limit - started,
    settled() {
      counts.settled += 1
      onChange?.()
    },
    failed() {
      counts.failed += 1
      onChange?.()
    },
    counts,
  }
}
