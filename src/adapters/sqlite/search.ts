import type { FoundRow, SearchQuestion, ViewShape } from 'obverse'
import type { Connection } from './connection.ts'
import { conditions } from './lookup.ts'
import { columnValue } from './scalar.ts'
import { columnName, tableName, wordsName } from './view-name.ts'
import { NUMBER } from './words.ts'

/** One page of a search, rank by rank: rows that the first fields have all words of, and fewer fields do not. */
export function search(c: Connection, shape: ViewShape, generation: number, question: SearchQuestion): FoundRow[] {
  const { by, equals, after, limit } = question
  const words = wordsName(shape.name, generation)
  // the words come first: read by id, a view would be asked for every row that it has
  const from = `SELECT id, data FROM ${words} CROSS JOIN ${tableName(shape.name, generation)} AS row
    ON row.${NUMBER} = ${words}.rowid WHERE ${words} MATCH ? AND ${conditions(by, 'row.')}`
  const found: FoundRow[] = []
  for (const [rank, match] of ranks(shape.search?.fields ?? [], question).entries()) {
    if (found.length >= limit) break
    if (after && rank < after.order) continue
    const place = after?.order === rank ? [after.id] : []
    const rows = c.all<{ id: string; data: string }>(
      `${from}${place.length > 0 ? ' AND id > ?' : ''} ORDER BY id LIMIT ?`,
      match,
      ...equals.map(columnValue),
      ...place,
      limit - found.length,
    )
    for (const { id, data } of rows) found.push({ id, order: rank, data: JSON.parse(data) as Record<string, unknown> })
  }
  return found
}

/** For each rank, what FTS5 is asked. Words are letters and digits, so nothing in them ends a quotation. */
function ranks(fields: readonly string[], { words, prefix }: SearchQuestion): string[] {
  const all = [...words.map((word) => `"${word}"`), `"${prefix}"*`].join(' AND ')
  const within = fields.map(
    (_, rank) =>
      `({${fields
        .slice(0, rank + 1)
        .map(columnName)
        .join(' ')}} : (${all}))`,
  )
  return within.map((here, rank) => (rank === 0 ? here : `${here} NOT ${within[rank - 1]}`))
}
