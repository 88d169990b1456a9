import type { Environment } from './environment.ts'

/**
 * A claim whose answer was lost may have been made all the same, or be made later by a server that was frozen: of rows that
 * their owner does not know of, and that nobody else may have for as long as it lives. Until that cannot happen any more,
 * what is claimed here and not known is given up before the next claim.
 */
export class Doubt {
  readonly #environment: Pick<Environment, 'runtime' | 'settings'>
  #until = Number.NEGATIVE_INFINITY

  constructor(environment: Pick<Environment, 'runtime' | 'settings'>) {
    this.#environment = environment
  }

  /** `giveUp` what is not known, if that may be, and `claim`. */
  async around<T>(giveUp: () => Promise<unknown>, claim: () => Promise<T>): Promise<T> {
    const { runtime, settings } = this.#environment
    try {
      if (runtime.elapsed() < this.#until) await giveUp()
      return await claim()
    } catch (error) {
      this.#until = runtime.elapsed() + settings.answerTimeout
      throw error
    }
  }
}
