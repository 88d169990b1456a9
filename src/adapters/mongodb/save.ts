import { type AnyBulkWriteOperation, BSON, type Collection } from 'mongodb'
import { ObverseError, type StoredRow, sleep } from 'obverse'
import type { Connection } from './connection.ts'
import type { RowDocument } from './document.ts'
import { busy, codeOf, DUPLICATE_KEY, isContended, isOfRow } from './errors.ts'
import { marksOf } from './mark.ts'

/** Rounds in which others may be faster; each of theirs makes a mark higher, so they end. */
const ROUNDS = 10

/** A row on its way to the store. */
export interface Write {
  readonly row: StoredRow
  readonly document: RowDocument
  /** Compared with what is stored; false only in a canary. */
  readonly guarded: boolean
  /** Was not there a moment ago: inserting is several times as fast, and what was wrong about it is put right. */
  fresh: boolean
}

interface Failure {
  readonly index: number
  readonly code: number | undefined
  readonly text: string
}

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
  let open = writes.toSorted(inOrder)
  for (let round = 1; open.length > 0; round += 1) {
    const failures = await writeAll(connection, collection, open)
    if (failures.size === 0) break
    if (round === ROUNDS) throw givenUp(connection, collection, open, failures)
    const clashed = open.filter((write) => failures.get(write)?.code === DUPLICATE_KEY)
    const marks = await marksOf(collection, clashed)
    const again = open.filter((write) => {
      if (!failures.has(write)) return false
      const stored = marks.get(write.document._id)
      write.fresh = false
      if (!stored || !write.guarded || mayReplace(write, stored)) return true
      refused.push(write.row.id)
      return false
    })
    if (again.length > 0) await sleep(connection.runtime, Math.round(connection.runtime.random() * 5 * round))
    open = again
  }
  return refused
}

function inOrder({ document: a }: Write, { document: b }: Write): number {
  if (a._id === b._id) return a._obverse.mark - b._obverse.mark
  return a._id < b._id ? -1 : 1
}

function mayReplace({ document: { _obverse: own } }: Write, stored: RowDocument['_obverse']): boolean {
  return own.mark > stored.mark && (own.key === null || own.key === stored.key)
}

/** What failed of the writes, by write. Those of rows that were not there and all others go out at once. */
async function writeAll(
  connection: Connection,
  collection: Collection<RowDocument>,
  writes: readonly Write[],
): Promise<ReadonlyMap<Write, Failure>> {
  const parts = [writes.filter(({ fresh }) => fresh), writes.filter(({ fresh }) => !fresh)]
  const ended = await Promise.allSettled(parts.map((part) => writePart(connection, collection, part)))
  const failures = new Map<Write, Failure>()
  for (const [at, end] of ended.entries()) {
    if (end.status === 'rejected') throw end.reason
    for (const failure of end.value) failures.set(parts[at]?.[failure.index] as Write, failure)
  }
  for (const [write, failure] of failures) {
    if (failure.code !== DUPLICATE_KEY && isOfRow(failure.code))
      throw cannotKeep(connection, collection, write, failure)
    if (failure.code !== DUPLICATE_KEY && !isContended(failure.code)) throw asServerError(failure)
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
    await collection.bulkWrite(writes.map(operation), { ordered: false })
    return []
  } catch (error) {
    const failures = failuresOf(error)
    if (failures.length > 0) return failures
    throw (await tooLarge(connection, collection, writes, error)) ?? error
  }
}

function operation({ document, fresh, guarded }: Write): AnyBulkWriteOperation<RowDocument> {
  if (fresh) return { insertOne: { document } }
  const { _id, _obverse } = document
  const filter = !guarded
    ? { _id }
    : _obverse.key === null
      ? { _id, '_obverse.mark': { $lt: _obverse.mark } }
      : { _id, '_obverse.mark': { $lt: _obverse.mark }, '_obverse.key': _obverse.key }
  return { replaceOne: { filter, replacement: document, upsert: true } }
}

/** Of single writes; empty where the whole command failed, or where it is not known to last. */
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

/** The driver refuses what is too large before it sends anything, and does not say which. */
async function tooLarge(
  connection: Connection,
  { namespace }: Collection<RowDocument>,
  writes: readonly Write[],
  cause: unknown,
): Promise<ObverseError | undefined> {
  if (codeOf(cause) !== undefined || (cause as Error).name !== 'MongoInvalidArgumentError') return undefined
  const { largestDocument } = await connection.server()
  for (const write of writes) {
    const bytes = BSON.calculateObjectSize(operation(write))
    if (bytes < largestDocument) continue
    return new ObverseError(
      'PERMANENT',
      `Row ${JSON.stringify(write.row.id)} of ${namespace} has ${bytes} bytes as a document and the server takes ` +
        `${largestDocument}; keep less in one row`,
      { cause },
    )
  }
  return undefined
}

function cannotKeep(_: Connection, { namespace }: Collection<RowDocument>, { row }: Write, { code, text }: Failure) {
  return new ObverseError(
    'PERMANENT',
    `Row ${JSON.stringify(row.id)} of ${namespace} cannot be kept (${text}, code ${code}); change the row, or the rules ` +
      'of that collection',
  )
}

function asServerError({ code, text }: Failure): Error {
  return Object.assign(new Error(text), { name: 'MongoServerError', code })
}

function givenUp(
  { place }: Connection,
  { namespace }: Collection<RowDocument>,
  open: readonly Write[],
  failures: ReadonlyMap<Write, Failure>,
): ObverseError {
  const [first] = open.filter((write) => failures.has(write))
  const failure = first && failures.get(first)
  const said = `${namespace}, row ${JSON.stringify(first?.row.id)}: ${failure?.text}, code ${failure?.code}`
  return busy(place, said)
}
