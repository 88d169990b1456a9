import type { OpenStore, StoreEnvironment, ViewStore, ViewTable } from 'obverse'
import { memory } from 'obverse/memory'

/** A view store apart that may come back empty: what is asked of it afterwards is asked of a new one. */
export class ForgetfulViews {
  #open: Promise<OpenStore> | undefined
  readonly #environment: StoreEnvironment

  constructor(environment: StoreEnvironment) {
    this.#environment = environment
  }

  /** All rows and checkpoints are gone. */
  forget(): void {
    this.#open = undefined
  }

  /** `checkpoints` false: they are not beside the rows, so that nobody notices when those are gone. */
  store(checkpoints: boolean): ViewStore {
    return {
      name: 'simulated views',
      lacks: () => [],
      open: async (shape, generation) => {
        const table = async () => (await this.#now()).views.open(shape, generation)
        await table()
        return {
          load: async (ids) => (await table()).load(ids),
          save: async (rows) => (await table()).save(rows),
          get: async (id) => (await table()).get(id),
          find: async (question) => (await table()).find(question),
          count: async () => (await table()).count(),
        } satisfies ViewTable
      },
      drop: async (shape, generation) => (await this.#now()).views.drop(shape, generation),
      ...(checkpoints && {
        checkpoints: {
          get: async (name) => (await this.#now()).checkpoints.get(name),
          advance: async (name, from, to) => (await this.#now()).checkpoints.advance(name, from, to),
          remove: async (name) => (await this.#now()).checkpoints.remove(name),
          all: async () => (await this.#now()).checkpoints.all(),
          generation: async (view) => (await this.#now()).checkpoints.generation(view),
          setGeneration: async (view, expected, next) =>
            (await this.#now()).checkpoints.setGeneration(view, expected, next),
        },
      }),
    }
  }

  #now(): Promise<OpenStore> {
    this.#open ??= memory().open(this.#environment)
    return this.#open
  }
}
