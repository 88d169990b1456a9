export interface GroupOptions<M> {
  /** Members of one flight at most. */
  readonly limit: number
  /** Flights at once. */
  readonly flights: number
  /**
   * Begins the choice for one flight: whether a member may fly with those that were let in before. One that may not goes with a
   * later flight. Default: everyone may.
   */
  readonly choice?: () => (member: M) => boolean
  /** Ends every member, well or badly; must not reject. */
  readonly fly: (members: readonly M[]) => Promise<void>
}

/**
 * Lets concurrent work share round trips: what comes while a flight is under way goes with the next. Nothing waits for
 * company: a lone member leaves at once.
 */
export class Group<M> {
  readonly #options: GroupOptions<M>
  #waiting: M[] = []
  #flying = 0
  #scheduled = false
  #landed: (() => void)[] = []

  constructor(options: GroupOptions<M>) {
    this.#options = options
  }

  add(member: M): void {
    this.#waiting.push(member)
    this.#schedule()
  }

  /** Resolves when nothing waits and nothing flies. */
  async settled(): Promise<void> {
    while (this.#flying > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#landed.push(resolve)
      })
    }
  }

  /** After the turn of the event loop, so that all who are about to come are there. */
  #schedule(): void {
    if (this.#scheduled || this.#flying >= this.#options.flights) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#start()
    })
  }

  #start(): void {
    const { flights, fly } = this.#options
    while (this.#flying < flights && this.#waiting.length > 0) {
      const members = this.#choose()
      this.#flying += 1
      void fly(members).finally(() => {
        this.#flying -= 1
        if (this.#waiting.length > 0) this.#schedule()
        const landed = this.#landed
        this.#landed = []
        for (const tell of landed) tell()
      })
    }
  }

  #choose(): M[] {
    const { limit, choice } = this.#options
    if (!choice) return this.#waiting.splice(0, limit)
    const mayFly = choice()
    const chosen: M[] = []
    const left: M[] = []
    let seen = 0
    for (const member of this.#waiting) {
      if (chosen.length === limit) break
      seen += 1
      if (mayFly(member)) chosen.push(member)
      else left.push(member)
    }
    this.#waiting = left.concat(this.#waiting.slice(seen))
    return chosen
  }
}
