import type { AnyBulkWriteOperation } from 'mongodb'
import type { StoredRow } from 'obverse'
import type { RowDocument } from './document.ts'

/** A row on its way to the store. */
export interface Write {
  readonly row: StoredRow
  readonly document: RowDocument
  /** Compared with what is stored; false only in a canary. */
  readonly guarded: boolean
  /** Was not there a moment ago: inserting is several times as fast, and what was wrong about it is put right. */
  fresh: boolean
}

export interface Failure {
  readonly index: number
  readonly code: number | undefined
  readonly text: string
}

export function operationOf({ document, fresh, guarded }: Write): AnyBulkWriteOperation<RowDocument> {
  if (fresh) return { insertOne: { document } }
  return { replaceOne: { filter: filterOf(document, guarded), replacement: document, upsert: true } }
}

/** Finds the document if the row may take its place; otherwise the write inserts, and meets it. */
function filterOf({ _id, _obverse: { key, mark } }: RowDocument, guarded: boolean) {
  if (!guarded) return { _id }
  const older = { _id, '_obverse.mark': { $lt: mark } }
  return key === null ? older : { ...older, '_obverse.key': key }
}
