import type { Collection } from 'mongodb'
import { ObverseError } from 'obverse'
import type { RowDocument } from './document.ts'

type Meta = RowDocument['_obverse']

/**
 * What is stored beside the rows, by `_id`, as the last write has left it: a write was refused because of it.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a document that is no row
 */
export async function marksOf(
  collection: Collection<RowDocument>,
  writes: readonly { readonly document: RowDocument }[],
): Promise<ReadonlyMap<string, Meta>> {
  if (writes.length === 0) return new Map()
  const ids = writes.map(({ document }) => document._id)
  const found = await collection
    .find(
      { _id: { $in: ids } },
      {
        projection: { '_obverse.key': 1, '_obverse.mark': 1 },
        limit: ids.length,
        batchSize: ids.length,
        // others' writes that most members do not have yet count, too
        readConcern: { level: 'local' },
      },
    )
    .toArray()
  return new Map(found.map((document) => [document._id, metaOf(document, collection.namespace)]))
}

export function metaOf({ _id, _obverse }: RowDocument, namespace: string): Meta {
  if (typeof _obverse?.mark === 'number') return _obverse
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `${namespace} holds a document that is no row of a view: _id ${JSON.stringify(_id)}; give the view another name, or a database of its own`,
  )
}
