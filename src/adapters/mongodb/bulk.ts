import type { Collection } from 'mongodb'
import type { Connection } from './connection.ts'
import type { RowDocument } from './document.ts'
import { DUPLICATE_KEY, isContended, isOfRow } from './errors.ts'
import { cannotKeep, tooLarge } from './refusal.ts'
import { type Failure, operationOf, type Write } from './write.ts'

/**
 * Writes all, those of rows that were not there and all others at once. Returns what was there already, and what others
 * wrote at the same moment, by write.
 *
 * @throws {ObverseError} `PERMANENT` for a row that cannot be kept; errors of the driver for what says nothing of a row
 */
export async function writeAll(
  connection: Connection,
  collection: Collection<RowDocument>,
  writes: readonly Write[],
): Promise<Map<Write, Failure>> {
  const parts = [writes.filter(({ fresh }) => fresh), writes.filter(({ fresh }) => !fresh)]
  // both have ended before one of them throws
  const ended = await Promise.allSettled(parts.map((part) => writePart(connection, collection, part)))
  const failures = new Map<Write, Failure>()
  for (const [at, end] of ended.entries()) {
    if (end.status === 'rejected') throw end.reason
    for (const failure of end.value) failures.set(parts[at]?.[failure.index] as Write, failure)
  }
  for (const [write, failure] of failures) {
    if (failure.code === DUPLICATE_KEY || isContended(failure.code)) continue
    throw isOfRow(failure.code) ? cannotKeep(collection, write, failure) : asServerError(failure)
  }
  return failures
}

async function writePart(
  connection: Connection,
  collection: Collection<RowDocument>,
  writes: readonly Write[],
): Promise<readonly Failure[]> {
  if (writes.length === 0) return []
  try {
    await collection.bulkWrite(writes.map(operationOf), { ordered: false })
    return []
  } catch (error) {
    const failures = failuresOf(error)
    if (failures.length > 0) return failures
    throw (await tooLarge(connection, collection, writes, error)) ?? error
  }
}

/** Of single writes; none where the whole command failed, or where it is not known to last. */
function failuresOf(error: unknown): readonly Failure[] {
  const { writeErrors, result } = error as {
    readonly writeErrors?: unknown
    readonly result?: { getWriteConcernError?(): unknown }
  }
  if (writeErrors === undefined || result?.getWriteConcernError?.()) return []
  return [writeErrors].flat().map((each) => {
    const { index, code, errmsg } = each as { index: number; code: unknown; errmsg?: string }
    return { index, code: typeof code === 'number' ? code : undefined, text: errmsg ?? 'no reason given' }
  })
}

function asServerError({ code, text }: Failure): Error {
  return Object.assign(new Error(text), { name: 'MongoServerError', code })
}
