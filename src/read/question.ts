/**
 * A declared question: rows where `by` are equal, ordered by `order` and then by row id. Values are told apart by type
 * (`'1'` is not `1`); a field that is missing is `null`, and comes first. Texts and ids are ordered by code point.
 */
export interface Lookup {
  readonly by: readonly string[]
  /** A field, ascending; `descending` turns it and the row id. Absent: by row id alone. */
  readonly order?: string
  readonly descending: boolean
}

/** One page of a look-up. */
export interface Question {
  readonly lookup: Lookup
  /** Values of `lookup.by`, same order. */
  readonly equals: readonly Scalar[]
  /** Strictly after this place in the order: the last row of the page before. */
  readonly after?: { readonly order: Scalar; readonly id: string }
  /** Rows, 1 to 1,000. */
  readonly limit: number
}

export type Scalar = string | number | boolean | null

export interface FoundRow {
  readonly id: string
  /** Value of the order field, for the cursor. */
  readonly order: Scalar
  readonly data: Record<string, unknown>
}

/** A declared search. Words are those of `wordsOf`, in the index and in the question: no store splits or folds by itself. */
export interface SearchShape {
  /** The first counts most. */
  readonly fields: readonly string[]
  /** Fields of which a question may ask equality besides, any number of them. */
  readonly by: readonly string[]
}

/**
 * One page of a search: rows that have every one of `words`, and a word that begins with `prefix`, somewhere in the
 * searched fields, and whose `by` are equal.
 *
 * The order is by rank and then by row id. The rank is 0 when the first searched field alone has all of them, 1 when it
 * takes the first two, and so on: the highest, over the words, of the first field that has the word. It is the `order`
 * of what is found, a number.
 */
export interface SearchQuestion {
  readonly words: readonly string[]
  /** The beginning of a word; never empty. */
  readonly prefix: string
  /** Some of `SearchShape.by`, and their values in the same order, compared as in a look-up. */
  readonly by: readonly string[]
  readonly equals: readonly Scalar[]
  /** Strictly after this place in the order: the last row of the page before. */
  readonly after?: { readonly order: number; readonly id: string }
  /** Rows, 1 to 1,000. */
  readonly limit: number
}
