const CHUNK = 256

/** Items in order, in chunks: added, taken away and found without touching all of them. */
export class Sorted<T> {
  readonly #chunks: T[][] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  get size(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  add(item: T): void {
    const at = Math.min(this.#chunkOf(item), this.#chunks.length - 1)
    const chunk = this.#chunks[at]
    if (!chunk) {
      this.#chunks.push([item])
      return
    }
    chunk.splice(this.#indexIn(chunk, item), 0, item)
    if (chunk.length > 2 * CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK))
  }

  delete(item: T): void {
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at]
    if (!chunk) return
    const index = this.#indexIn(chunk, item)
    const found = chunk[index]
    if (found === undefined || this.#compare(found, item) !== 0) return
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** Items strictly after `after`, upwards. */
  *above(after: T | undefined): Generator<T> {
    let at = after === undefined ? 0 : this.#chunkOf(after)
    let index = 0
    const first = this.#chunks[at]
    if (after !== undefined && first) {
      index = this.#indexIn(first, after)
      const found = first[index]
      if (found !== undefined && this.#compare(found, after) === 0) index += 1
    }
    for (let chunk = first; chunk; chunk = this.#chunks[++at], index = 0) {
      for (; index < chunk.length; index += 1) yield chunk[index] as T
    }
  }

  /** Items strictly before `before`, downwards. */
  *below(before: T | undefined): Generator<T> {
    let at = this.#chunks.length - 1
    let index = (this.#chunks[at]?.length ?? 0) - 1
    if (before !== undefined) {
      const place = this.#chunkOf(before)
      const chunk = this.#chunks[place]
      if (chunk) {
        at = place
        index = this.#indexIn(chunk, before) - 1
      }
    }
    for (let chunk = this.#chunks[at]; chunk; chunk = this.#chunks[--at], index = (chunk?.length ?? 0) - 1) {
      for (; index >= 0; index -= 1) yield chunk[index] as T
    }
  }

  /** The first chunk whose last item is not below `item`. */
  #chunkOf(item: T): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(this.#chunks[middle]?.at(-1) as T, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #indexIn(chunk: readonly T[], item: T): number {
    let low = 0
    let high = chunk.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(chunk[middle] as T, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
