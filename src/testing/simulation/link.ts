import { type ErrorCode, ObverseError } from 'obverse'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

/** What goes wrong between a process and a server. */
export interface Weather {
  /** Chance that a call takes its time, up to `most` ms each way. */
  slow: number
  most: number
  /** Chance that a call is not made, … */
  fails: number
  /** … and that it is made and its answer is lost. */
  forgets: number
}

/** The way from a process to one server: slow, lossy, and cut now and then. */
export class Link {
  readonly process: SimulatedProcess
  readonly server: string
  readonly #world: World
  readonly #weather: Weather
  readonly #code: ErrorCode
  #cut = false
  readonly #onCut = new Set<() => void>()

  constructor(process: SimulatedProcess, server: string, code: ErrorCode, world: World, weather: Weather) {
    this.process = process
    this.server = server
    this.#code = code
    this.#world = world
    this.#weather = weather
  }

  get isCut(): boolean {
    return this.#cut
  }

  /** Nothing gets through for `ms`. */
  cut(ms: number): void {
    if (this.#cut || !this.process.isAlive) return
    this.#world.note(this.process.name, `loses the ${this.server} for ${Math.round(ms)} ms`)
    this.#cut = true
    for (const listener of this.#onCut) listener()
    this.#world.after(ms, () => this.mend())
  }

  mend(): void {
    this.#cut = false
  }

  onCut(listener: () => void): () => void {
    this.#onCut.add(listener)
    return () => this.#onCut.delete(listener)
  }

  /** One call to the server and its answer. */
  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    await this.#way()
    if (this.#cut || this.#world.chance(this.#weather.fails)) throw this.error(what, 'was not made')
    const answer = await work()
    await this.#way()
    if (this.#cut || this.#world.chance(this.#weather.forgets)) throw this.error(what, 'has no answer')
    return answer
  }

  error(what: string, why: string): ObverseError {
    this.#world.note(this.process.name, `${what} of the ${this.server} ${why}`)
    return new ObverseError(this.#code, `The simulated ${this.server} does not answer: ${what} ${why}`)
  }

  /** Also where there is nothing to wait for: a dead process does not come out of it. */
  #way(): Promise<void> {
    if (this.#world.chance(this.#weather.slow)) return this.process.pass(this.#world.between(0, this.#weather.most))
    return new Promise((resolve) => this.process.run(resolve))
  }
}
