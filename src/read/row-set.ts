/**
 * Rows by id, as a map. Nearly every key of a batch has one row, so the first is held without one: thousands of small
 * maps cost more than the folding.
 */
export class RowSet<Row> {
  #id: string | undefined
  #row: Row | undefined
  #more: Map<string, Row> | undefined

  get size(): number {
    return (this.#id === undefined ? 0 : 1) + (this.#more?.size ?? 0)
  }

  has(id: string): boolean {
    return id === this.#id || this.#more?.has(id) === true
  }

  get(id: string): Row | undefined {
    return id === this.#id ? this.#row : this.#more?.get(id)
  }

  set(id: string, row: Row): void {
    if (this.#id === undefined) this.#id = id
    if (id === this.#id) {
      this.#row = row
      return
    }
    this.#more ??= new Map()
    this.#more.set(id, row)
  }

  *ids(): Generator<string> {
    if (this.#id === undefined) return
    yield this.#id
    if (this.#more) yield* this.#more.keys()
  }

  *rows(): Generator<Row> {
    if (this.#id === undefined) return
    yield this.#row as Row
    if (this.#more) yield* this.#more.values()
  }
}
