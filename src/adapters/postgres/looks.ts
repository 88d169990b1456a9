import { type Entry, isObverseError } from 'obverse'
import type { Entrance, Passage } from './entry.ts'
import type { Environment } from './environment.ts'
import { Group } from './group.ts'
import { look } from './standing.ts'

const MOST = 500

interface Looking {
  readonly entry: Entry
  readonly resolve: (passage: Passage) => void
  readonly reject: (error: unknown) => void
}

/** Looks at entries before their work, without writing anything. Those that are asked for at once share their questions. */
export class Looks {
  readonly #environment: Environment
  readonly #entrance: Entrance
  readonly #group: Group<Looking>

  constructor(environment: Environment, entrance: Entrance) {
    this.#environment = environment
    this.#entrance = entrance
    this.#group = new Group<Looking>({ limit: MOST, flights: 2, fly: (asked) => this.#fly(asked) })
  }

  at(entry: Entry): Promise<Passage> {
    return new Promise((resolve, reject) => this.#group.add({ entry, resolve, reject }))
  }

  async #fly(asked: readonly Looking[]): Promise<void> {
    try {
      const connection = await this.#environment.reader.connection()
      const standing = await look(
        connection,
        asked.map(({ entry }) => entry),
        false,
      )
      for (const { entry, resolve, reject } of asked) {
        try {
          resolve(this.#entrance.check(entry, standing))
        } catch (error) {
          reject(error)
        }
      }
    } catch (error) {
      // of one of them there is something that cannot be asked; the others shall not pay for it
      if (asked.length > 1 && !(isObverseError(error) && error.kind === 'outage')) {
        for (const one of asked) await this.#fly([one])
      } else for (const { reject } of asked) reject(error)
    }
  }
}
