import type { Lookup, Scalar } from 'obverse'
import { compareScalars, compareTexts, scalarOf } from './order.ts'
import { Sorted } from './sorted.ts'

interface Place {
  readonly order: Scalar
  readonly id: string
}

/** Rows by one look-up. */
export class LookupIndex {
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

  size(equals: readonly Scalar[]): number {
    return this.#buckets.get(JSON.stringify(equals))?.size ?? 0
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
export function lookupName({ by, order }: Lookup): string {
  return JSON.stringify([by, order ?? null])
}
