/** What not every implementation has; a case names what it needs. */
export type Capability =
  /** `tx.connection()` is there. */
  | 'tables'
  /** A commit knows the positions of its events. */
  | 'positions-at-commit'
  /** `positions.stamp` gives them. */
  | 'positions-by-relay'
  /** Transactions draw ids before they commit, so that a later id can be committed earlier. */
  | 'late-commits'
  /** A broker that knows which channels exist, and returns what is published to others. */
  | 'returns'
  /** Ordered look-ups over rows of a view. */
  | 'ordered-lookups'
  /** `size` says how many rows a look-up has. */
  | 'counted-lookups'
  /** Rows are searched by their words. */
  | 'search'

/**
 * One statement of a contract, for any test runner: `run` resolves when it holds and rejects, with an assertion that
 * says what was seen, when it does not.
 */
export interface Case<S> {
  /** Unique in its contract, and stable: exceptions and canaries name it. */
  readonly name: string
  readonly needs?: readonly Capability[]
  run(subject: S): Promise<void>
}

/** A case bound to an implementation. */
export interface ContractTest {
  readonly name: string
  readonly needs: readonly Capability[]
  /** Why it is not expected to hold here; absent: it is. */
  readonly skip?: string
  readonly run: () => Promise<void>
}

export interface Exceptions {
  readonly capabilities: readonly Capability[]
  /** Case name → why it does not hold for this implementation. A name that no case has is an error. */
  readonly except?: Readonly<Record<string, string>>
}

/** Binds cases to an implementation. Cases whose needs are not met are left out; exceptions are marked. */
export function bind<S>(
  cases: readonly Case<S>[],
  { capabilities, except = {} }: Exceptions,
  run: (one: Case<S>) => Promise<void>,
): readonly ContractTest[] {
  const names = new Set(cases.map(({ name }) => name))
  const twice = cases.find(({ name }, at) => cases.findIndex((other) => other.name === name) !== at)
  if (twice) throw new Error(`Two cases are named ${JSON.stringify(twice.name)}`)
  const strange = Object.keys(except).find((name) => !names.has(name))
  if (strange !== undefined) throw new Error(`There is no case named ${JSON.stringify(strange)} to except`)
  return cases
    .filter(({ needs = [] }) => needs.every((need) => capabilities.includes(need)))
    .map((one) => {
      const skip = except[one.name]
      return { name: one.name, needs: one.needs ?? [], run: () => run(one), ...(skip !== undefined && { skip }) }
    })
}
