/** Timers of a clock that somebody else moves: in order of time, then of registration. */
export class Timers {
  readonly #timers = new Map<number, { readonly at: number; readonly work: () => void }>()
  #ids = 0

  get size(): number {
    return this.#timers.size
  }

  add(at: number, work: () => void): () => void {
    this.#ids += 1
    const id = this.#ids
    this.#timers.set(id, { at, work })
    return () => this.#timers.delete(id)
  }

  /** When the next one is due; `undefined`: there is none. */
  next(): number | undefined {
    return this.#first()?.at
  }

  /** Runs the next one if it is due at `time`. */
  runNext(time: number): boolean {
    const first = this.#first()
    if (!first || first.at > time) return false
    this.#timers.delete(first.id)
    first.work()
    return true
  }

  #first(): { readonly id: number; readonly at: number; readonly work: () => void } | undefined {
    let first: { id: number; at: number; work: () => void } | undefined
    for (const [id, timer] of this.#timers) if (!first || timer.at < first.at) first = { id, ...timer }
    return first
  }
}

/** Resolves when everything that was ready to run has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
