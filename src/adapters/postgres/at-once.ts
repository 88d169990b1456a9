import type { Connection } from './connection.ts'
import { commit } from './transaction.ts'

/**
 * A transaction on a connection that others use at the same time: everything is sent before anybody waits for an answer, so
 * nothing of theirs gets in between. `send` must not wait for one of its own statements before it has started them all.
 * `begin` may lock something besides.
 */
export async function atOnce<T>(
  connection: Connection,
  send: (connection: Connection) => Promise<T>,
  begin = 'BEGIN',
): Promise<T> {
  const begun = connection.execute(begin)
  const sent = send(connection)
  const ended = commit(connection)
  const [first, work, last] = await Promise.allSettled([begun, sent, ended])
  if (first.status === 'rejected') throw first.reason
  if (work.status === 'rejected') throw work.reason
  if (last.status === 'rejected') throw last.reason
  return work.value
}
