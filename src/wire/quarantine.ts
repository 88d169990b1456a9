/**
 * Lets one redelivered message run at a time in a process: the one whose attempt is recorded is then the one that a
 * crash is blamed on, and its neighbours keep their attempts. One for each process.
 */
export interface Quarantine {
  /** True: entered, and `leave` must follow. */
  tryEnter(): boolean
  /** Waits for its turn. */
  enter(): Promise<void>
  leave(): void
  /** Undoes a `tryEnter` at once, when there was nothing to do. */
  withdraw(): void
  /** `onFree` is called when there is room again; the returned function ends that. */
  join(onFree: () => void): () => void
}

export function createQuarantine(): Quarantine {
  let occupied = false
  const waiting: (() => void)[] = []
  const members = new Set<() => void>()
  return {
    tryEnter() {
      if (occupied) return false
      occupied = true
      return true
    },
    enter() {
      if (this.tryEnter()) return Promise.resolve()
      return new Promise((resolve) => waiting.push(resolve))
    },
    leave() {
      const next = waiting.shift()
      if (next) return next()
      occupied = false
      for (const onFree of members) if (!occupied) onFree()
    },
    withdraw() {
      occupied = false
    },
    join(onFree) {
      members.add(onFree)
      return () => members.delete(onFree)
    },
  }
}
