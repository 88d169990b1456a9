import type { Filter, Sort } from 'mongodb'
import type { Lookup, Question, Scalar } from 'obverse'
import type { RowDocument } from './document.ts'
import { LIVE, pathOf } from './index-spec.ts'
import { lookupValue } from './scalar.ts'
import { storedText } from './text.ts'

type Condition = Record<string, unknown>

/** Rows of a look-up, as a filter. */
export function filterOf({ by }: Lookup, equals: readonly Scalar[]): Filter<RowDocument> {
  return Object.fromEntries([
    ...Object.entries(LIVE),
    ...by.map((field, at) => [pathOf(field), lookupValue(equals[at])] as const),
  ])
}

/**
 * One page, as a filter. Comparisons of MongoDB find values of the type they compare with alone, so what comes after a
 * value is made of several ranges, each one of the index: equal ones with a later id, others of the type, later types.
 */
export function pageOf({ lookup, equals, after }: Question): Filter<RowDocument> {
  const filter = filterOf(lookup, equals)
  if (!after) return filter
  const { order, descending } = lookup
  const beyond = { _id: { [descending ? '$lt' : '$gt']: storedText(after.id) } }
  // rows that are equal in the field they are ordered by are ordered by id
  if (order === undefined || lookup.by.includes(order)) return { ...filter, ...beyond } as Filter<RowDocument>
  const path = pathOf(order)
  const value = lookupValue(after.order)
  const ranges: Condition[] = [{ [path]: value, ...beyond }]
  for (const range of descending ? below(value) : above(value)) ranges.push({ [path]: range })
  return { $or: ranges.map((range) => ({ ...filter, ...range })) } as Filter<RowDocument>
}

export function sortOf({ order, descending }: Lookup): Sort {
  const turn = descending ? -1 : 1
  return order === undefined ? { _id: turn } : { [pathOf(order)]: turn, _id: turn }
}

const NUMBERS = { $gte: Number.NEGATIVE_INFINITY }
const TEXTS = { $gte: '' }

function above(value: string | number | null): Condition[] {
  if (value === null) return [NUMBERS, TEXTS]
  return typeof value === 'number' ? [{ $gt: value }, TEXTS] : [{ $gt: value }]
}

function below(value: string | number | null): unknown[] {
  if (value === null) return []
  return typeof value === 'number' ? [{ $lt: value }, null] : [{ $lt: value }, NUMBERS, null]
}
