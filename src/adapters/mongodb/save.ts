import type { Collection } from 'mongodb'
import { sleep } from 'obverse'
import { writeAll } from './bulk.ts'
import type { Connection } from './connection.ts'
import type { RowDocument } from './document.ts'
import { busy, DUPLICATE_KEY } from './errors.ts'
import { marksOf } from './mark.ts'
import { otherIndex } from './refusal.ts'
import type { Failure, Write } from './write.ts'

/** Rounds in which others may be faster; each of theirs makes a mark higher, so they end. */
const ROUNDS = 10

/**
 * Saves rows, each by a write that carries its own guard. A duplicate key says that the row is there and not older, or
 * that somebody made it at the same moment; its mark tells which. Returns the ids that were refused.
 *
 * In the order of `_id`: unsorted ones have deadlocked. Ones that others write at the same moment are tried again.
 */
export async function saveRows(
  connection: Connection,
  collection: Collection<RowDocument>,
  writes: readonly Write[],
): Promise<readonly string[]> {
  const refused: string[] = []
  const lastSeen = new Map<Write, number | undefined>()
  let open = writes.toSorted(inOrder)
  for (let round = 1; ; round += 1) {
    const failures = await writeAll(connection, collection, open)
    if (failures.size === 0) return refused
    const clashed = open.filter((write) => failures.get(write)?.code === DUPLICATE_KEY)
    const marks = await marksOf(collection, clashed)
    for (const write of clashed) {
      const stored = marks.get(write.document._id)
      if (write.guarded && stored && !mayReplace(write, stored)) {
        refused.push(write.row.id)
        failures.delete(write)
        continue
      }
      // whoever else was there has left a higher mark; where nothing has changed, nobody was
      if (!write.fresh && lastSeen.has(write) && lastSeen.get(write) === stored?.mark) {
        throw otherIndex(collection, write)
      }
      if (!write.fresh) lastSeen.set(write, stored?.mark)
      write.fresh = false
    }
    if (failures.size === 0) return refused
    if (round === ROUNDS) throw contended(connection, collection, failures)
    open = open.filter((write) => failures.has(write))
    await sleep(connection.runtime, Math.round(connection.runtime.random() * 5 * round))
  }
}

function inOrder({ document: a }: Write, { document: b }: Write): number {
  if (a._id === b._id) return a._obverse.mark - b._obverse.mark
  return a._id < b._id ? -1 : 1
}

function mayReplace({ document: { _obverse: own } }: Write, stored: RowDocument['_obverse']): boolean {
  return own.mark > stored.mark && (own.key === null || own.key === stored.key)
}

function contended(
  { place }: Connection,
  { namespace }: Collection<RowDocument>,
  failures: ReadonlyMap<Write, Failure>,
): Error {
  const [first] = failures
  return busy(
    place,
    `${namespace}, row ${JSON.stringify(first?.[0].row.id)}: ${first?.[1].text}, code ${first?.[1].code}`,
  )
}
