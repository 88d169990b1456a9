import type { Scalar } from 'obverse'
import type { SqlValue } from './connection.ts'

/** Below every other number, so that the order is: nothing, false, true, numbers, texts. */
const FALSE = Number.NEGATIVE_INFINITY
const TRUE = -Number.MAX_VALUE
/** The lowest number that can be told from `true`; -1.797…e308 itself counts as its neighbour. */
const LOWEST = -1.7976931348623155e308

/**
 * A look-up value as SQLite compares it: numbers and texts as they are, booleans as numbers that nobody uses, so that
 * `true` is not 1. What is no scalar in JSON is looked up as `null`.
 */
export function columnValue(value: unknown): SqlValue {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return Number.isFinite(value) ? Math.max(value, LOWEST) : null
    case 'boolean':
      return value ? TRUE : FALSE
    case 'object': {
      if (value === null) return null
      const json: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
      return typeof json === 'object' ? null : columnValue(json)
    }
    default:
      return null
  }
}

/** The same of a field in a stored row, for columns that are added later. */
export function columnFromJson(field: string): string {
  const path = `'$.${JSON.stringify(field).replaceAll("'", "''")}'`
  return `CASE json_type(data, ${path}) WHEN 'true' THEN ${TRUE} WHEN 'false' THEN -9e999 WHEN 'object' THEN NULL
    WHEN 'array' THEN NULL ELSE json_extract(data, ${path}) END`
}

/** A field of a row as a cursor keeps it. */
export function scalarOf(value: unknown): Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
