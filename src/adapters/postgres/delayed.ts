import type { Environment } from './environment.ts'
import { ripen } from './queue.ts'

/** Lets delayed messages in when they are due, for whoever takes rows here; those of others, too, that it heard of in a poll. */
export class Delayed {
  readonly #environment: Environment
  #next = 0
  #looked = Number.NEGATIVE_INFINITY
  #ripening: Promise<void> | undefined

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Costs nothing most of the time. */
  ripen(): Promise<void> | undefined {
    const { runtime, settings } = this.#environment
    if (runtime.elapsed() - this.#looked < settings.poll && this.#next > runtime.now()) return this.#ripening
    this.#looked = runtime.elapsed()
    this.#ripening ??= this.#ripen().finally(() => {
      this.#ripening = undefined
    })
    return this.#ripening
  }

  /** Milliseconds until the next is due, as far as is known. */
  wait(): number {
    return Math.max(1, this.#next - this.#environment.runtime.now())
  }

  async #ripen(): Promise<void> {
    const { runtime, writer, news } = this.#environment
    const { count, next } = await ripen(await writer.connection(), runtime.now())
    this.#next = next ?? Number.POSITIVE_INFINITY
    if (count > 0) news()
  }
}
