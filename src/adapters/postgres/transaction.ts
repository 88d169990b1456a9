import { ObverseError } from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'

/** In one transaction on a connection of its own, `READ COMMITTED`: each statement sees what was committed before it. */
export function inTransaction<T>(
  { sessions, news }: Pick<Environment, 'sessions' | 'news'>,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return sessions.lend(async (connection) => {
    const begun = connection.execute('BEGIN ISOLATION LEVEL READ COMMITTED')
    begun.catch(() => {})
    let result: T
    try {
      result = await work(connection)
      await begun
    } catch (error) {
      await connection.execute('ROLLBACK').catch(() => {})
      throw error
    }
    await commit(connection)
    news()
    return result
  })
}

/** A commit of a transaction in which a statement failed is a rollback, and its answer says so. */
export async function commit(connection: Connection): Promise<void> {
  const tag = await connection.execute('COMMIT')
  if (tag !== 'COMMIT') throw rolledBack()
}

function rolledBack(): ObverseError {
  return new ObverseError(
    'HANDLER_FAILED',
    'A statement of the transaction failed and its error was swallowed, so nothing was committed; let the error through',
  )
}
