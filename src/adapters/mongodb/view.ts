import type { Checkpoints, Finding, Health, ViewShape, ViewStore, ViewTable } from 'obverse'
import { checkpoints } from './checkpoint.ts'
import type { Connection } from './connection.ts'
import { examine } from './examine.ts'
import { health } from './health.ts'
import { lacks } from './lacks.ts'
import { collectionName } from './name.ts'
import { MongodbTable } from './view-table.ts'

/** Views as collections: of each generation one. */
export class MongodbViews implements ViewStore {
  readonly name = 'mongodb'
  readonly checkpoints: Checkpoints
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
    this.checkpoints = checkpoints(connection)
  }

  async open(shape: ViewShape, generation: number): Promise<ViewTable> {
    const table = new MongodbTable(this.#connection, shape, generation)
    await this.#connection.run(() => table.prepare())
    return table
  }

  async drop(shape: ViewShape, generation: number): Promise<void> {
    const name = collectionName(shape.name, generation)
    await this.#connection.run(async () => {
      if (!(await this.#has(name))) return
      try {
        await (await this.#connection.collection(name)).drop()
      } catch (error) {
        // somebody else was faster, which not every server says by a code
        if (await this.#has(name)) throw error
      }
    })
  }

  lacks(shape: ViewShape): readonly string[] {
    return lacks(shape, this.#connection.db.databaseName)
  }

  health(): Promise<Health> {
    return health(this.#connection)
  }

  examine(shapes: readonly ViewShape[]): Promise<readonly Finding[]> {
    return this.#connection.run(() => examine(this.#connection, shapes))
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #has(name: string): Promise<boolean> {
    const there = await this.#connection.db.listCollections({ name }, { nameOnly: true }).toArray()
    return there.some((collection) => collection.name === name)
  }
}
