import { ObverseError } from '../errors.ts'
import { scalar } from './lookup.ts'
import type { SearchOptions } from './page.ts'
import type { SearchQuestion } from './question.ts'
import type { SearchForm } from './search.ts'
import type { AnyView } from './view.ts'
import { wordsIn } from './words.ts'

/** A search as its store understands it, without the page. */
export type Sought = Omit<SearchQuestion, 'after' | 'limit'>

const LONGEST_TEXT = 1_000
const MOST_WORDS = 32

/**
 * What is looked for; `undefined` when the text has no word.
 *
 * @throws {ObverseError} `LOOKUP_UNDECLARED` for a view or an equality that declares no search, `VALIDATION_FAILED` for a
 * text that is none or too long, and for a value that is no scalar
 */
export function soughtIn(view: AnyView, text: unknown, { where = {} }: SearchOptions): Sought | undefined {
  const { name, search } = view
  if (!search) {
    throw new ObverseError(
      'LOOKUP_UNDECLARED',
      `View ${name} declares no search; give it \`search\` with the fields whose words are searched`,
    )
  }
  const by = Object.entries(where).filter(([, value]) => value !== undefined)
  for (const [field] of by) if (!search.by.includes(field)) throw undeclared(name, search, field)
  const ordered = by.toSorted(([a], [b]) => search.by.indexOf(a) - search.by.indexOf(b))
  const equals = ordered.map(([field, value]) => scalar(view, field, value))
  const words = [...wordsIn(checkedText(name, text))]
  if (words.length > MOST_WORDS) {
    throw badText(name, `a text of ${words.length} words`, `must have at most ${MOST_WORDS} words`)
  }
  const prefix = words.pop()
  if (prefix === undefined) return undefined
  return { words: [...new Set(words)], prefix, by: ordered.map(([field]) => field), equals }
}

function checkedText(view: string, text: unknown): string {
  if (typeof text !== 'string') throw badText(view, `${typeof text}`, 'must be a text')
  if (text.length <= LONGEST_TEXT) return text
  throw badText(view, `a text of ${text.length} characters`, `must have at most ${LONGEST_TEXT} characters`)
}

function badText(view: string, what: string, must: string): ObverseError {
  return new ObverseError('VALIDATION_FAILED', `View ${view} is searched for ${what}; the text ${must}`, {
    fields: { text: [must] },
  })
}

function undeclared(view: string, { by }: SearchForm, field: string): ObverseError {
  return new ObverseError(
    'LOOKUP_UNDECLARED',
    `The search of view ${view} declares no equality of ${field}; declared: ${by.join(', ') || 'none'}. Add it to \`by\` of ` +
      'its `search`',
  )
}
