/** What a check came to. */
export interface Outcome {
  /** What does not hold, in words, each once; empty where the bound is kept. */
  readonly findings: readonly string[]
  readonly figures: Readonly<Record<string, number | string>>
}

const MOST = 20

/** Collects what is wrong: of each kind how often, and the first examples. */
export class Findings {
  readonly #found = new Map<string, { count: number; readonly examples: string[] }>()

  add(what: string, example = ''): void {
    const known = this.#found.get(what) ?? { count: 0, examples: [] }
    known.count += 1
    if (known.examples.length < 3) known.examples.push(example)
    this.#found.set(what, known)
  }

  list(): readonly string[] {
    return [...this.#found]
      .slice(0, MOST)
      .map(
        ([what, { count, examples }]) =>
          `${count} × ${what}${examples.some(Boolean) ? `: ${examples.join(' | ')}` : ''}`,
      )
  }
}
