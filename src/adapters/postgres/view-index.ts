import type { Lookup, ViewShape } from 'obverse'
import { columnName, indexName, quoted, tableName, wordsName } from './view-name.ts'

/** Columns before the row id, at most: an entry has room for so many values of the longest kind. */
const COLUMNS = 4

export interface ViewIndex {
  readonly name: string
  /** What asks for it, in words. */
  readonly serves: string
  readonly sql: string
}

/**
 * The indexes that a view needs. They hold live rows only, by a column that seldom changes: were the data in the condition, no
 * update could leave them alone.
 */
export function indexesOf(shape: ViewShape, generation: number): ViewIndex[] {
  const { name, lookups, search } = shape
  const on = quoted(tableName(name, generation))
  const wanted = new Map<string, string>()
  for (const lookup of lookups) wanted.set(`(${lookupColumns(lookup)})`, serves(lookup))
  for (const field of search?.by ?? []) wanted.set(`(${lookupColumns({ by: [field] })})`, `a search by ${field}`)
  if (search) {
    wanted.set(`USING gin (${quoted(wordsName(search.fields))})`, `the search in ${search.fields.join(', ')}`)
  }
  return Array.from(wanted, ([what, serves]) => {
    const index = indexName(name, generation, what)
    return { name: index, serves, sql: `CREATE INDEX IF NOT EXISTS ${quoted(index)} ON ${on} ${what} WHERE live` }
  })
}

/** The row id last, so that every page is one range. What has no room in it is compared in the row. */
function lookupColumns({ by, order }: Pick<Lookup, 'by' | 'order'>): string {
  const equal = [...new Set(by)].filter((field) => field !== order)
  const room = order === undefined ? COLUMNS : COLUMNS - 1
  const fields = [...equal.slice(0, room), ...(order === undefined ? [] : [order])]
  return [...fields.map(columnName), 'id'].map(quoted).join(', ')
}

function serves({ by, order }: Lookup): string {
  const fields = by.length > 0 ? `by ${by.join(' and ')}` : 'of all rows'
  return `the look-up ${fields}${order === undefined ? '' : `, ordered by ${order}`}`
}
