import {
  type FoundRow,
  type Lookup,
  ObverseError,
  type Question,
  type Scalar,
  type SearchQuestion,
  type StoredRow,
  type ViewShape,
} from 'obverse'
import { LookupIndex, lookupName } from './lookup-index.ts'
import { scalarOf } from './order.ts'
import { WordIndex } from './word-index.ts'

/** A row as it is kept: text, so that nobody's object is anybody else's, and what it holds is JSON as everywhere. */
export interface Kept {
  readonly id: string
  readonly key: string | null
  readonly mark: number
  readonly text: string | null
}

export interface Guards {
  /** Rows of one key are compared by seq. */
  readonly bySeq: boolean
  /** Rows of gathering views are compared by position. */
  readonly byPosition: boolean
}

export function keep({ id, key, mark, data }: StoredRow): Kept {
  return { id, key, mark, text: data === null ? null : JSON.stringify(data) }
}

export function stored({ id, key, mark, text }: Kept): StoredRow {
  return { id, key, mark, data: text === null ? null : JSON.parse(text) }
}

/** May `row` take the place of `known`? */
export function isNewer(row: Kept, known: Kept | undefined, { bySeq, byPosition }: Guards): boolean {
  if (!known || !(row.key === null ? byPosition : bySeq)) return true
  return row.mark > known.mark && (row.key === null || row.key === known.key)
}

/** The rows of one generation of one view, with an index for each look-up and one for the words. */
export class ViewTable {
  readonly rows: Map<string, Kept> = new Map()
  readonly #indexes = new Map<string, LookupIndex>()
  #words: WordIndex | undefined
  #live = 0

  get live(): number {
    return this.#live
  }

  /** Makes the indexes that are missing. */
  prepare({ lookups, search }: Pick<ViewShape, 'lookups' | 'search'>): void {
    for (const lookup of lookups) {
      const name = lookupName(lookup)
      if (this.#indexes.has(name)) continue
      const index = new LookupIndex(lookup)
      this.#fill(index)
      this.#indexes.set(name, index)
    }
    if (search && !this.#words?.isOf(search.fields)) {
      this.#words = new WordIndex(search.fields)
      this.#fill(this.#words)
    }
  }

  put(row: Kept): void {
    const before = this.rows.get(row.id)
    this.rows.set(row.id, row)
    if (before?.text != null) {
      this.#live -= 1
      const data = JSON.parse(before.text) as Record<string, unknown>
      for (const index of this.#all()) index.delete(row.id, data)
    }
    if (row.text !== null) {
      this.#live += 1
      const data = JSON.parse(row.text) as Record<string, unknown>
      for (const index of this.#all()) index.add(row.id, data)
    }
  }

  clear(): void {
    this.rows.clear()
    this.#live = 0
    for (const index of this.#all()) index.clear()
  }

  find({ lookup, equals, after, limit }: Question): readonly FoundRow[] {
    const found: FoundRow[] = []
    for (const { id, order } of this.#index(lookup).read(equals, after, lookup.descending)) {
      found.push({ id, order, data: this.#data(id) })
      if (found.length >= limit) break
    }
    return found
  }

  size(lookup: Lookup, equals: readonly Scalar[]): number {
    return this.#index(lookup).size(equals)
  }

  search({ words, prefix, by, equals, after, limit }: SearchQuestion): readonly FoundRow[] {
    if (!this.#words) throw new ObverseError('LOOKUP_UNDECLARED', 'The view declares no search')
    const found: FoundRow[] = []
    for (const { id, order } of this.#words.read(words, prefix, after)) {
      const data = this.#data(id)
      if (by.some((field, at) => scalarOf(data[field]) !== equals[at])) continue
      found.push({ id, order, data })
      if (found.length >= limit) break
    }
    return found
  }

  #data(id: string): Record<string, unknown> {
    return JSON.parse(this.rows.get(id)?.text as string)
  }

  #index(lookup: Lookup): LookupIndex {
    const index = this.#indexes.get(lookupName(lookup))
    if (index) return index
    const by = lookup.by.join(', ') || 'nothing'
    throw new ObverseError('LOOKUP_UNDECLARED', `The view has no look-up by ${by}, ordered by ${lookup.order ?? 'id'}`)
  }

  *#all(): Generator<LookupIndex | WordIndex> {
    yield* this.#indexes.values()
    if (this.#words) yield this.#words
  }

  #fill(index: LookupIndex | WordIndex): void {
    for (const { id, text } of this.rows.values()) if (text !== null) index.add(id, JSON.parse(text))
  }
}

/** Views by name and generation. */
export class ViewTables {
  readonly #tables = new Map<string, ViewTable>()

  open(shape: ViewShape, generation: number): ViewTable {
    const id = `${shape.name}\n${generation}`
    let table = this.#tables.get(id)
    if (!table) {
      table = new ViewTable()
      this.#tables.set(id, table)
    }
    table.prepare(shape)
    return table
  }

  /** @throws {ObverseError} `CONFIGURATION_INVALID` for a generation that was not opened */
  get(view: string, generation: number): ViewTable {
    const table = this.#tables.get(`${view}\n${generation}`)
    if (table) return table
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `Generation ${generation} of the view ${view} is not there; open it before it is used`,
    )
  }

  drop(view: string, generation: number): void {
    this.#tables.delete(`${view}\n${generation}`)
  }

  /** Empties every table; whoever holds one may go on with it. */
  clear(): void {
    for (const table of this.#tables.values()) table.clear()
  }
}
