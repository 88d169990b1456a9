import type { Collection } from 'mongodb'
import type { ViewShape, ViewTable } from 'obverse'
import { type FoundRow, type Lookup, ObverseError, type Question, type Scalar, type StoredRow } from 'obverse'
import type { Connection } from './connection.ts'
import { dataOf, documentOf, type RowDocument, type RowForm, rowForm, rowOf } from './document.ts'
import { LIVE } from './index-spec.ts'
import { filterOf, pageOf, sortOf } from './look-up.ts'
import { metaOf } from './mark.ts'
import { collectionName } from './name.ts'
import { prepare } from './prepare.ts'
import { saveRows } from './save.ts'
import { scalarOf } from './scalar.ts'
import { storedText } from './text.ts'

/** Ids that were looked for in vain are remembered until they are saved, so many at most. */
const ABSENT = 20_000

/** The rows of one generation of one view: a collection. */
export class MongodbTable implements ViewTable {
  readonly #connection: Connection
  readonly #name: string
  readonly #shape: ViewShape
  readonly #form: RowForm
  readonly #absent = new Set<string>()
  #prepared: { readonly losses: number; readonly done: Promise<void> } | undefined

  constructor(connection: Connection, shape: ViewShape, generation: number) {
    this.#connection = connection
    this.#name = collectionName(shape.name, generation)
    this.#shape = shape
    this.#form = rowForm(shape)
  }

  /** Makes the indexes; once, and again after a server was lost: what comes back may be another. */
  async prepare(): Promise<void> {
    const { losses } = this.#connection
    if (this.#prepared?.losses !== losses) {
      this.#absent.clear()
      this.#prepared = { losses, done: prepare(this.#connection, this.#name, this.#shape, this.#form) }
    }
    const { done } = this.#prepared
    try {
      await done
    } catch (error) {
      if (this.#prepared?.done === done) this.#prepared = undefined
      throw error
    }
  }

  load(ids: readonly string[]): Promise<readonly StoredRow[]> {
    if (ids.length === 0) return Promise.resolve([])
    return this.#use(async (collection) => {
      const found = await collection
        .find({ _id: { $in: ids.map(storedText) } }, { limit: ids.length, batchSize: ids.length })
        .toArray()
      for (const document of found) metaOf(document, collection.namespace)
      const rows = found.map((document) => rowOf(document, this.#form))
      if (this.#absent.size + ids.length > ABSENT) this.#absent.clear()
      for (const id of ids) this.#absent.add(id)
      for (const { id } of rows) this.#absent.delete(id)
      return rows
    })
  }

  save(rows: readonly StoredRow[]): Promise<readonly string[]> {
    if (rows.length === 0) return Promise.resolve([])
    return this.#use((collection) => {
      const writes = rows.map((row) => ({
        row,
        document: documentOf(row, this.#form),
        guarded: !this.#connection.without(row.key === null ? 'guard-by-position' : 'guard-by-seq'),
        fresh: this.#absent.delete(row.id),
      }))
      return saveRows(this.#connection, collection, writes)
    })
  }

  get(id: string): Promise<Record<string, unknown> | undefined> {
    return this.#use(async (collection) => {
      // by `_id` alone, which every server finds at once
      const document = await collection.findOne({ _id: storedText(id) })
      return document?._obverse?.live ? dataOf(document, this.#form) : undefined
    })
  }

  find(question: Question): Promise<readonly FoundRow[]> {
    const { lookup, limit } = question
    this.#declared(lookup)
    return this.#use(async (collection) => {
      const found = await collection.find(pageOf(question), { sort: sortOf(lookup), limit, batchSize: limit }).toArray()
      return found.map((document) => {
        const { id } = rowOf(document, this.#form)
        const data = dataOf(document, this.#form)
        return { id, order: lookup.order === undefined ? id : scalarOf(data[lookup.order]), data }
      })
    })
  }

  count(): Promise<number> {
    return this.#use((collection) => collection.countDocuments(LIVE))
  }

  size(lookup: Lookup, equals: readonly Scalar[]): Promise<number> {
    this.#declared(lookup)
    return this.#use((collection) => collection.countDocuments(filterOf(lookup, equals)))
  }

  #use<T>(work: (collection: Collection<RowDocument>) => Promise<T>): Promise<T> {
    return this.#connection.run(async () => {
      await this.prepare()
      return work(await this.#connection.collection<RowDocument>(this.#name))
    })
  }

  /** Others have no value beside the row. */
  #declared({ by, order }: Lookup): void {
    const unknown = [...by, ...(order === undefined ? [] : [order])].filter((field) => !this.#form.fields.has(field))
    if (unknown.length === 0) return
    throw new ObverseError(
      'LOOKUP_UNDECLARED',
      `View ${this.#shape.name} declares no look-up with ${unknown.join(' and ')}; add it to \`index\` of the view`,
    )
  }
}
