import type { IndexDescriptionInfo } from 'mongodb'
import type { Lookup, ViewShape } from 'obverse'
import { fieldName } from './name.ts'

/** An index that a look-up needs. Its name is the driver's: the same keys have the same name everywhere. */
export interface IndexSpec {
  readonly name: string
  readonly key: Readonly<Record<string, 1>>
  readonly partialFilterExpression: typeof LIVE
}

/** Rows, without tombstones and marks. */
export const LIVE = { '_obverse.live': true } as const

/** The path of a look-up value. */
export function pathOf(field: string): string {
  return `_obverse.by.${fieldName(field)}`
}

/** The distinct fields of the look-ups. */
export function lookupFields({ lookups }: ViewShape): string[] {
  return [...new Set(lookups.flatMap(({ by, order }) => (order === undefined ? by : [...by, order])))]
}

/** A direction needs no index of its own, and the order of ids alone is that of `_id`. */
export function indexSpecs({ lookups }: ViewShape): IndexSpec[] {
  const specs = lookups.filter(({ by, order }) => by.length > 0 || order !== undefined).map(specOf)
  return [...new Map(specs.map((spec) => [spec.name, spec])).values()]
}

function specOf({ by, order }: Lookup): IndexSpec {
  const paths = [...new Set([...by, ...(order === undefined ? [] : [order])].map(pathOf)), '_id']
  const key = Object.fromEntries(paths.map((path) => [path, 1 as const]))
  return { name: paths.map((path) => `${path}_1`).join('_'), key, partialFilterExpression: LIVE }
}

/** Is `there` what `spec` says? */
export function isMade(spec: IndexSpec, there: IndexDescriptionInfo): boolean {
  return (
    JSON.stringify(there.key) === JSON.stringify(spec.key) &&
    JSON.stringify(there.partialFilterExpression) === JSON.stringify(spec.partialFilterExpression)
  )
}

/** Ours: over look-up values, whoever declared them. */
export function isOurs({ key }: IndexDescriptionInfo): boolean {
  return Object.keys(key).some((path) => path.startsWith('_obverse.'))
}
