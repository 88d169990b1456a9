import { ObverseError } from '../errors.ts'
import { knownOptions } from '../runtime/options.ts'
import type { SearchShape } from './question.ts'

/** As many as every store can tell apart in one index. */
const MOST_FIELDS = 4

type TextField<Row> = {
  [F in keyof Row]-?: Row[F] extends string | readonly string[] | null | undefined ? F : never
}[keyof Row] &
  string

/** Fields of a row that are searched, alone or with fields of which a search may ask equality besides. */
export type SearchOption<Row> =
  | readonly TextField<Row>[]
  | { readonly fields: readonly TextField<Row>[]; readonly by?: readonly (keyof Row & string)[] }

/** What of a view is searched. */
export interface SearchForm<B extends string = string> extends SearchShape {
  readonly by: readonly B[]
}

/** The names under `by` of a search option. */
export type FilterOf<Q> = Q extends { readonly by: readonly (infer B)[] } ? B & string : never

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the view and what is wrong with its search */
export function searchForm(view: string, option: SearchOption<Record<string, unknown>>): SearchForm {
  if (!Array.isArray(option)) knownOptions(`search of view ${view}`, option, ['fields', 'by'])
  const { fields = [], by = [] } = (Array.isArray(option) ? { fields: option } : option) as Partial<SearchForm>
  checkNames(view, 'fields', fields)
  checkNames(view, 'by', by)
  if (fields.length < 1 || fields.length > MOST_FIELDS) {
    throw invalid(
      `search of view ${view} has ${fields.length} fields; give 1 to ${MOST_FIELDS}, and let the projection join more in ` +
        'one field of the row',
    )
  }
  return { fields, by }
}

function checkNames(view: string, option: string, names: readonly unknown[]): void {
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || name === '')) {
    throw invalid(`${option} of the search of view ${view} is ${JSON.stringify(names)}; give names of fields`)
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw invalid(`${option} of the search of view ${view} names ${String(twice)} twice`)
}

function invalid(message: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', message)
}
