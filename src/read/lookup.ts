import { ObverseError } from '../errors.ts'
import type { FindOptions } from './page.ts'
import type { Lookup, Scalar } from './question.ts'
import type { AnyView } from './view.ts'

/** A question as its store understands it: the declared look-up, and the values for it. */
export interface Asked {
  readonly lookup: Lookup
  readonly equals: readonly Scalar[]
}

/**
 * Finds the declared look-up that answers a question. Fields that are `undefined` in `where` do not count.
 *
 * @throws {ObverseError} `LOOKUP_UNDECLARED` naming the question and what is declared; `VALIDATION_FAILED` for a value
 * that is no text, number, boolean or null
 */
export function lookupFor(view: AnyView, options: FindOptions<Record<string, unknown>>): Asked {
  const { where = {}, order, descending = false } = options
  const asked = Object.entries(where).filter(([, value]) => value !== undefined) as [string, Scalar][]
  const values = new Map(asked)
  const lookup = view.lookups.find(
    (declared) =>
      declared.order === order &&
      declared.descending === descending &&
      declared.by.length === values.size &&
      declared.by.every((field) => values.has(field)),
  )
  if (!lookup) throw undeclared(view, { by: [...values.keys()], ...(order !== undefined && { order }), descending })
  return { lookup, equals: lookup.by.map((field) => scalar(view, field, values.get(field))) }
}

/** The look-up of a list. */
export function onlyLookup({ lookups }: AnyView): Lookup {
  return lookups[0] as Lookup
}

/** A look-up in words: `by status, ordered by createdAt descending`. */
export function describeLookup({ by, order, descending }: Lookup): string {
  const fields = by.length > 0 ? `by ${by.join(' and ')}` : 'all rows'
  return `${fields}, ordered by ${order ?? 'id'}${descending ? ' descending' : ''}`
}

function undeclared(view: AnyView, question: Lookup): ObverseError {
  const declared = view.lookups.map(describeLookup).join('; ') || 'none'
  return new ObverseError(
    'LOOKUP_UNDECLARED',
    `View ${view.name} declares no look-up ${describeLookup(question)}; declared: ${declared}. Add it to \`index\` of the view`,
  )
}

/** @throws {ObverseError} `VALIDATION_FAILED` naming the field, for a value that is no text, number, boolean or null */
export function scalar(view: AnyView, field: string, value: unknown): Scalar {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new ObverseError('VALIDATION_FAILED', `View ${view.name}: ${field} is looked up by ${typeof value}`, {
    fields: { [field]: ['must be a text, a number, a boolean or null'] },
  })
}
