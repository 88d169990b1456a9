import type { FoundRow, SearchQuestion } from 'obverse'
import { conditions, type RowFound } from './lookup.ts'
import { idOf, storedId } from './row-id.ts'
import { columnText } from './scalar.ts'
import { lexeme } from './view-column.ts'
import { quoted, wordsName } from './view-name.ts'
import type { Runner } from './view-rows.ts'

/**
 * One page of a search, rank by rank: rows that the first fields have all words of, and fewer fields do not. Not prepared: how
 * frequent the words are decides between their index and the order of the row ids.
 */
export async function search(
  runner: Runner,
  table: string,
  fields: readonly string[],
  { words, prefix, by, equals, after, limit }: SearchQuestion,
): Promise<FoundRow[]> {
  const column = quoted(wordsName(fields))
  const found: FoundRow[] = []
  for (const rank of fields.keys()) {
    if (found.length >= limit) break
    if (after && rank < after.order) continue
    const values: unknown[] = equals.map(columnText)
    const parameter = (value: unknown) => `$${values.push(value)}`
    const where = [conditions(by), `${column} @@ ${parameter(within(rank, words, prefix))}::tsquery`]
    if (rank > 0) where.push(`NOT ${column} @@ ${parameter(within(rank - 1, words, prefix))}::tsquery`)
    if (after?.order === rank) where.push(`id > ${parameter(storedId(after.id))}`)
    const text = `SELECT id, whole, data FROM ${quoted(table)} WHERE ${where.join(' AND ')}
      ORDER BY id LIMIT ${parameter(limit - found.length)}`
    for (const row of await runner.all<RowFound>({ name: '', text }, values)) {
      found.push({ id: idOf(row), order: rank, data: row.data })
    }
  }
  return found
}

/** All words in the fields up to `rank`, the last one as a beginning. The index knows the fields apart. */
function within(rank: number, words: readonly string[], prefix: string): string {
  const fields = Array.from({ length: rank + 1 }, (_, field) => field)
  const terms = words.map((word) => fields.map((field) => lexeme(word, field)))
  const all = [...terms, fields.map((field) => `${lexeme(prefix, field)}:*`)]
  return all.map((term) => `(${term.join(' | ')})`).join(' & ')
}
