import { wordsOf } from 'obverse'
import { compareTexts } from './order.ts'
import { Sorted } from './sorted.ts'

interface Found {
  readonly id: string
  /** Rank: searched fields that it takes to have all words, less one. */
  readonly order: number
}

/** Rows by the words of their searched fields. */
export class WordIndex {
  readonly #fields: readonly string[]
  /** Word → row id → the first field that has the word. */
  readonly #rows = new Map<string, Map<string, number>>()
  readonly #words = new Sorted<string>(compareTexts)

  constructor(fields: readonly string[]) {
    this.#fields = fields
  }

  isOf(fields: readonly string[]): boolean {
    return JSON.stringify(fields) === JSON.stringify(this.#fields)
  }

  add(id: string, data: Record<string, unknown>): void {
    for (const [at, field] of this.#fields.entries()) {
      for (const word of wordsOf(data[field])) {
        let rows = this.#rows.get(word)
        if (!rows) {
          rows = new Map()
          this.#rows.set(word, rows)
          this.#words.add(word)
        }
        if (!rows.has(id)) rows.set(id, at)
      }
    }
  }

  delete(id: string, data: Record<string, unknown>): void {
    for (const field of this.#fields) {
      for (const word of wordsOf(data[field])) {
        const rows = this.#rows.get(word)
        if (!rows?.delete(id) || rows.size > 0) continue
        this.#rows.delete(word)
        this.#words.delete(word)
      }
    }
  }

  clear(): void {
    this.#rows.clear()
    for (const word of [...this.#words.above(undefined)]) this.#words.delete(word)
  }

  /** What has all `words`, and one that begins with `prefix`, by rank and id, from behind `after`. */
  read(words: readonly string[], prefix: string, after: Found | undefined): readonly Found[] {
    let ranks: ReadonlyMap<string, number> = this.#beginning(prefix)
    for (const word of words) ranks = both(ranks, this.#rows.get(word))
    const found = [...ranks].map(([id, order]) => ({ id, order })).sort(compareFound)
    return after ? found.filter((one) => compareFound(one, after) > 0) : found
  }

  #beginning(prefix: string): ReadonlyMap<string, number> {
    const ranks = new Map(this.#rows.get(prefix))
    for (const word of this.#words.above(prefix)) {
      if (!word.startsWith(prefix)) break
      for (const [id, at] of this.#rows.get(word) ?? []) ranks.set(id, Math.min(at, ranks.get(id) ?? at))
    }
    return ranks
  }
}

function both(ranks: ReadonlyMap<string, number>, other: ReadonlyMap<string, number> = new Map()): Map<string, number> {
  const joined = new Map<string, number>()
  for (const [id, rank] of ranks) {
    const at = other.get(id)
    if (at !== undefined) joined.set(id, Math.max(rank, at))
  }
  return joined
}

function compareFound(a: Found, b: Found): number {
  return a.order - b.order || compareTexts(a.id, b.id)
}
