import type { FaultPoint, Protection, Runtime } from 'obverse'
import { risingIds, seededRandom } from '../random.ts'
import type { Mutations } from './mutation.ts'
import { START, type World } from './world.ts'

/** What a process meets at its steps. */
export interface Hazards {
  /** Chance that it ends there, … */
  crash: number
  /** … that it stops there for some seconds, … */
  freeze: number
  /** … and that it waits there a little. */
  delay: number
}

/**
 * One simulated process. What is dead does nothing more and gets no answer; what is frozen goes on later where it was,
 * as after SIGSTOP and SIGCONT: its timers and answers have waited.
 */
export class SimulatedProcess {
  readonly name: string
  readonly runtime: Runtime
  readonly #world: World
  readonly #hazards: Hazards
  /** Milliseconds that its wall clock is wrong. */
  skew = 0
  #alive = true
  #frozen = false
  #waiting: (() => void)[] = []
  readonly #onEnd = new Set<() => void>()
  readonly #onFreeze = new Set<(frozen: boolean) => void>()

  constructor(name: string, world: World, hazards: Hazards, without: Mutations) {
    this.name = name
    this.#world = world
    this.#hazards = hazards
    const seed = Math.floor(world.random() * 2 ** 32)
    const now = () => Math.floor(START + world.elapsed + this.skew)
    this.runtime = {
      now,
      elapsed: () => world.elapsed,
      after: (ms, work) => world.after(ms, () => this.run(work)),
      id: risingIds(now, seededRandom(seed ^ 0x5bd1e995)),
      random: seededRandom(seed),
      reach: (point) => this.#reach(point),
      without: without as ReadonlySet<Protection>,
    }
  }

  get isAlive(): boolean {
    return this.#alive
  }

  get isRunning(): boolean {
    return this.#alive && !this.#frozen
  }

  /** Does `work` now, or when it goes on; never, if it is dead. */
  run(work: () => void): void {
    if (!this.#alive) return
    if (this.#frozen) this.#waiting.push(work)
    else work()
  }

  /** Resolves after `ms`, as far as it lives. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.after(ms, () => this.run(resolve)))
  }

  /** Ends it: as SIGKILL. Nothing that runs in it goes on. */
  kill(why: string): void {
    if (!this.#alive) return
    this.#world.note(this.name, `dies ${why}`)
    this.#alive = false
    this.#waiting = []
    for (const listener of this.#onEnd) listener()
  }

  freeze(ms: number, why: string): void {
    if (!this.isRunning) return
    this.#world.note(this.name, `is frozen for ${Math.round(ms)} ms ${why}`)
    this.#frozen = true
    for (const listener of this.#onFreeze) listener(true)
    this.#world.after(ms, () => this.thaw())
  }

  thaw(): void {
    if (!this.#alive || !this.#frozen) return
    this.#world.note(this.name, 'goes on')
    this.#frozen = false
    for (const listener of this.#onFreeze) listener(false)
    const waiting = this.#waiting
    this.#waiting = []
    for (const work of waiting) this.run(work)
  }

  /** `frozen` is told of both; the end is told once. */
  watch(end: () => void, frozen: (frozen: boolean) => void): void {
    this.#onEnd.add(end)
    this.#onFreeze.add(frozen)
  }

  /** From inside: a message that ends its process. */
  crash(why: string): Promise<never> {
    this.kill(why)
    return never()
  }

  #reach(point: FaultPoint): void | Promise<void> {
    if (!this.#alive) return never()
    const { crash, freeze, delay } = this.#hazards
    if (this.#world.chance(crash)) {
      this.kill(`at ${point}`)
      return never()
    }
    if (this.#world.chance(freeze)) {
      this.freeze(this.#world.between(500, 9_000), `at ${point}`)
      return this.pass(0)
    }
    if (this.#world.chance(delay)) return this.pass(this.#world.between(0, 60))
  }
}

export function never<T>(): Promise<T> {
  return new Promise(() => {})
}
