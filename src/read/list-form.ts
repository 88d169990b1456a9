/** What makes a view a list. */
export interface ListForm<I extends string = string> {
  /** The field that tells the entries of one list apart. */
  readonly id: I
  /** Entries of one list that are given at most. */
  readonly limit?: number
}

/**
 * The row id of an entry: the key of its list and its own id. No two entries have the same, and within a list row ids
 * are in the order of the entries' ids.
 */
export function entryRowId(key: string, id: string): string {
  return `${key.replaceAll('~', '~0').replaceAll('/', '~1')}/${id}`
}
