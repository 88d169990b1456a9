interface Timer {
  readonly at: number
  readonly id: number
  readonly work: () => void
}

/** Timers of a clock that somebody else moves: in order of time, then of registration. */
export class Timers {
  readonly #timers: Timer[] = []
  #ids = 0

  get size(): number {
    return this.#timers.length
  }

  add(at: number, work: () => void): () => void {
    this.#ids += 1
    const timer = { at, id: this.#ids, work }
    this.#timers.splice(this.#placeOf(timer), 0, timer)
    return () => {
      const place = this.#placeOf(timer)
      if (this.#timers[place] === timer) this.#timers.splice(place, 1)
    }
  }

  /** When the next one is due; `undefined`: there is none. */
  next(): number | undefined {
    return this.#timers[0]?.at
  }

  /** Runs the next one if it is due at `time`. */
  runNext(time: number): boolean {
    const first = this.#timers[0]
    if (!first || first.at > time) return false
    this.#timers.shift()
    first.work()
    return true
  }

  /** Of the first that is not before `timer`. */
  #placeOf({ at, id }: Timer): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      const found = this.#timers[middle] as Timer
      if (found.at < at || (found.at === at && found.id < id)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Resolves when everything that was ready to run has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
