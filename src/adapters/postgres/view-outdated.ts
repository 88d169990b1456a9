import { isObverseError } from 'obverse'

/** A prepared statement is not there, or there twice: another one that travelled before it failed to be prepared. */
const UNPREPARED = new Set(['26000', '42P05'])
const NOT_NULL = '23502'

/**
 * True when the tables are not as they were known: gone with a reset, a restored backup or a lost disk, or with a column that
 * every row of `table` must fill by now.
 */
export function isOutdated(error: unknown, table?: string): boolean {
  if (isObverseError(error, 'SCHEMA_OUTDATED')) return true
  const { code, table: at } = error as { readonly code?: string; readonly table?: string }
  return code !== undefined && (UNPREPARED.has(code) || (code === NOT_NULL && at === table))
}
