import { type SearchShape, type ViewShape, wordsOf } from 'obverse'
import { columnText } from './scalar.ts'
import { columnName, wordsName } from './view-name.ts'

type Data = Readonly<Record<string, unknown>> | null

/**
 * A column that is made of a row's data, for look-ups or for search. None may be null or has a default, and each says in its
 * comment what it holds: a process that does not know one yet cannot save past it, and learns.
 */
export interface ViewColumn {
  readonly name: string
  readonly type: 'text' | 'tsvector'
  /** The comment: JSON. */
  readonly holds: string
  /** As text; the same for every row that is not live. */
  readonly textOf: (data: Data) => string
}

/** The columns that a view needs. */
export function columnsOf(shape: ViewShape): ViewColumn[] {
  const columns = lookupFields(shape).map(fieldColumn)
  return shape.search ? [...columns, wordsColumn(shape.search.fields)] : columns
}

/** The distinct fields of the look-ups, and of what a search asks besides words. */
export function lookupFields({ lookups, search }: ViewShape): string[] {
  const fields = lookups.flatMap(({ by, order }) => (order === undefined ? by : [...by, order]))
  return [...new Set([...fields, ...(search?.by ?? [])])]
}

/** A column of a table that was made before, by what it says it holds; `undefined`: none of ours. */
export function columnOf(name: string, comment: string | null): ViewColumn | undefined {
  const holds = comment === null ? undefined : parsed(comment)
  if (typeof holds?.field === 'string') return { ...fieldColumn(holds.field), name }
  if (Array.isArray(holds?.words)) return { ...wordsColumn(holds.words as string[]), name }
  return undefined
}

function fieldColumn(field: string): ViewColumn {
  return {
    name: columnName(field),
    type: 'text',
    holds: JSON.stringify({ field }),
    textOf: (data) => (data === null ? '' : columnText(data[field])),
  }
}

function wordsColumn(fields: SearchShape['fields']): ViewColumn {
  return {
    name: wordsName(fields),
    type: 'tsvector',
    holds: JSON.stringify({ words: fields }),
    textOf: (data) => (data === null ? '' : vector(fields, data)),
  }
}

/** Each word once, after the number of the first field that has it. Words are letters and digits: nothing in them ends a quotation. */
function vector(fields: readonly string[], data: Readonly<Record<string, unknown>>): string {
  const seen = new Set<string>()
  let lexemes = ''
  for (const [at, field] of fields.entries()) {
    for (const word of wordsOf(data[field])) {
      if (seen.has(word)) continue
      seen.add(word)
      lexemes += ` ${lexeme(word, at)}`
    }
  }
  return lexemes
}

/** A word of a field, as it is indexed. */
export function lexeme(word: string, field: number): string {
  return `'${field}${word}'`
}

function parsed(comment: string): { readonly field?: unknown; readonly words?: unknown } | undefined {
  try {
    return JSON.parse(comment) as { readonly field?: unknown; readonly words?: unknown }
  } catch {
    return undefined
  }
}
