import {
  type FoundRow,
  type Lookup,
  ObverseError,
  type Question,
  type Scalar,
  type StoredRow,
  type ViewShape,
} from 'obverse'
import { compareScalars, compareTexts, scalarOf } from './order.ts'
import { Sorted } from './sorted.ts'

/** A row as it is kept: text, so that nobody's object is anybody else's, and what it holds is JSON as everywhere. */
export interface Kept {
  readonly id: string
  readonly key: string | null
  readonly mark: number
  readonly text: string | null
}

interface Place {
  readonly order: Scalar
  readonly id: string
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

/** The rows of one generation of one view, with an index for each look-up. */
export class ViewTable {
  readonly rows: Map<string, Kept> = new Map()
  readonly #indexes = new Map<string, LookupIndex>()
  #live = 0

  get live(): number {
    return this.#live
  }

  /** Makes the indexes that are missing. */
  prepare(lookups: readonly Lookup[]): void {
    for (const lookup of lookups) {
      const name = lookupName(lookup)
      if (this.#indexes.has(name)) continue
      const index = new LookupIndex(lookup)
      for (const { id, text } of this.rows.values()) if (text !== null) index.add(id, JSON.parse(text))
      this.#indexes.set(name, index)
    }
  }

  put(row: Kept): void {
    const before = this.rows.get(row.id)
    this.rows.set(row.id, row)
    if (before?.text != null) {
      this.#live -= 1
      const data = JSON.parse(before.text) as Record<string, unknown>
      for (const index of this.#indexes.values()) index.delete(row.id, data)
    }
    if (row.text !== null) {
      this.#live += 1
      const data = JSON.parse(row.text) as Record<string, unknown>
      for (const index of this.#indexes.values()) index.add(row.id, data)
    }
  }

  clear(): void {
    this.rows.clear()
    this.#live = 0
    for (const index of this.#indexes.values()) index.clear()
  }

  find({ lookup, equals, after, limit }: Question): readonly FoundRow[] {
    const index = this.#indexes.get(lookupName(lookup))
    if (!index) {
      const by = lookup.by.join(', ') || 'nothing'
      throw new ObverseError(
        'LOOKUP_UNDECLARED',
        `The view has no look-up by ${by}, ordered by ${lookup.order ?? 'id'}`,
      )
    }
    const found: FoundRow[] = []
    for (const { id, order } of index.read(equals, after, lookup.descending)) {
      found.push({ id, order, data: JSON.parse(this.rows.get(id)?.text as string) })
      if (found.length >= limit) break
    }
    return found
  }
}

class LookupIndex {
  readonly #lookup: Lookup
  readonly #buckets = new Map<string, Sorted<Place>>()

  constructor(lookup: Lookup) {
    this.#lookup = lookup
  }

  add(id: string, data: Record<string, unknown>): void {
    const { name, order } = this.#place(data)
    let bucket = this.#buckets.get(name)
    if (!bucket) {
      bucket = new Sorted(comparePlaces)
      this.#buckets.set(name, bucket)
    }
    bucket.add({ order, id })
  }

  delete(id: string, data: Record<string, unknown>): void {
    const { name, order } = this.#place(data)
    const bucket = this.#buckets.get(name)
    bucket?.delete({ order, id })
    if (bucket?.isEmpty) this.#buckets.delete(name)
  }

  clear(): void {
    this.#buckets.clear()
  }

  read(equals: readonly Scalar[], after: Place | undefined, descending: boolean): Iterable<Place> {
    const bucket = this.#buckets.get(JSON.stringify(equals))
    if (!bucket) return []
    return descending ? bucket.below(after) : bucket.above(after)
  }

  #place(data: Record<string, unknown>): { readonly name: string; readonly order: Scalar } {
    const { by, order } = this.#lookup
    const name = JSON.stringify(by.map((field) => scalarOf(data[field])))
    return { name, order: order === undefined ? null : scalarOf(data[order]) }
  }
}

function comparePlaces(a: Place, b: Place): number {
  return compareScalars(a.order, b.order) || compareTexts(a.id, b.id)
}

/** A direction needs no index of its own. */
function lookupName({ by, order }: Lookup): string {
  return JSON.stringify([by, order ?? null])
}

/** Views by name and generation. */
export class ViewTables {
  readonly #tables = new Map<string, ViewTable>()

  open({ name, lookups }: ViewShape, generation: number): ViewTable {
    const id = `${name}\n${generation}`
    let table = this.#tables.get(id)
    if (!table) {
      table = new ViewTable()
      this.#tables.set(id, table)
    }
    table.prepare(lookups)
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
