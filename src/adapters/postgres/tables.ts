import { ObverseError, type SqlResult } from 'obverse'
import type { Connection } from './connection.ts'

/** Would end, split or escape the transaction that the statement is part of. */
const REFUSED =
  /^(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set\s+(?:session\s+)?(?:transaction|characteristics)|vacuum|listen|unlisten)\b/i
const BLANK = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/

/**
 * A statement of the application in an open transaction. Values go to the driver as they are; its types come back.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for one that would leave the transaction
 */
export async function statementOf(connection: Connection, sql: string, values: readonly unknown[]): Promise<SqlResult> {
  const text = sql.replace(BLANK, '')
  if (text === '') return { rows: [] }
  if (REFUSED.test(text)) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `${short(text)} cannot run here: the transaction, its connection and its commit belong to the store`,
    )
  }
  const { rows, command, rowCount } = await connection.raw(sql, values)
  const writes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE'
  return writes && rowCount !== null ? { rows, changes: BigInt(rowCount) } : { rows: rows ?? [] }
}

/** True when the statement may fail on a constraint, and the handler may want to go on. */
export function mayViolate(sql: string): boolean {
  return !/^(?:select|values|table|show)\b/i.test(sql.replace(BLANK, ''))
}

function short(sql: string): string {
  const line = sql.trim().replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 60)}…` : line
}
