import type { Link } from './link.ts'
import type { Mutations } from './mutation.ts'

/** What was claimed and never came is given back by the next claim, as an adapter of a server has to. */
export class Claims {
  readonly #link: Link
  readonly #gives: boolean
  readonly #lost = new Set<() => Promise<void>>()

  constructor(link: Link, without: Mutations) {
    this.#link = link
    this.#gives = !without.has('lost-claims')
  }

  async claim<T>(what: string, work: () => Promise<T>, giveBack: (claimed: T) => Promise<void>): Promise<T> {
    const undo: { it?: () => Promise<void> } = {}
    const claimed = await this.#link
      .call(what, async () => {
        for (const lost of this.#lost) await lost()
        this.#lost.clear()
        const found = await work()
        undo.it = () => giveBack(found)
        return found
      })
      .catch((error: unknown) => {
        if (undo.it && this.#gives) this.#lost.add(undo.it)
        throw error
      })
    return claimed
  }
}
