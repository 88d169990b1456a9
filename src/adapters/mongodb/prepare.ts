import type { Collection, IndexDescriptionInfo } from 'mongodb'
import type { ViewShape } from 'obverse'
import type { Connection } from './connection.ts'
import { dataOf, type RowDocument, type RowForm } from './document.ts'
import { codeOf, isIndexConflict, NAMESPACE_NOT_FOUND } from './errors.ts'
import { type IndexSpec, indexSpecs, isMade, LIVE, pathOf } from './index-spec.ts'
import { lookupValue } from './scalar.ts'

const PAGE = 500

/**
 * Makes the indexes that look-ups miss, in a collection that the server makes with them. Several processes may do so at
 * once. Rows that were there before get their look-up values first, so an index that is there is one that finds all.
 */
export async function prepare(connection: Connection, name: string, shape: ViewShape, form: RowForm): Promise<void> {
  const specs = indexSpecs(shape)
  if (specs.length === 0) return
  const collection = await connection.collection<RowDocument>(name)
  const there = await indexesOf(collection)
  const missing = specs.filter((spec) => !there?.some((index) => isMade(spec, index)))
  if (missing.length === 0) return
  if (there) await lookUpOlder(collection, form)
  try {
    await collection.createIndexes(missing.map((spec) => ({ ...spec })))
  } catch (error) {
    if (!isIndexConflict(codeOf(error))) throw error
    await makeOthers(collection, missing)
  }
}

/** An index that somebody made otherwise stays: look-ups are right without, only slower, and `doctor` names it. */
async function makeOthers(collection: Collection<RowDocument>, specs: readonly IndexSpec[]): Promise<void> {
  for (const spec of specs) {
    try {
      await collection.createIndexes([{ ...spec }])
    } catch (error) {
      if (!isIndexConflict(codeOf(error))) throw error
    }
  }
}

/** `undefined`: there is no such collection. */
export async function indexesOf(
  collection: Collection<RowDocument>,
): Promise<readonly IndexDescriptionInfo[] | undefined> {
  try {
    const indexes = await collection.listIndexes().toArray()
    return indexes.length === 0 ? undefined : (indexes as IndexDescriptionInfo[])
  } catch (error) {
    if (codeOf(error) === NAMESPACE_NOT_FOUND) return undefined
    throw error
  }
}

/** Rows that lack a look-up value: they were saved before the look-up was declared, or by a process that does not know it. */
export function lacking(fields: readonly string[]): { $or: Record<string, { $exists: false }>[] } & typeof LIVE {
  return { ...LIVE, $or: fields.map((field) => ({ [pathOf(field)]: { $exists: false } })) }
}

async function lookUpOlder(collection: Collection<RowDocument>, form: RowForm): Promise<void> {
  for (let last: string | undefined; ; ) {
    const beyond = last === undefined ? {} : { _id: { $gt: last } }
    const found = await collection
      .find({ ...lacking([...form.fields.keys()]), ...beyond }, { sort: { _id: 1 }, limit: PAGE, batchSize: PAGE })
      .toArray()
    if (found.length === 0) return
    await collection.bulkWrite(
      found.map((document) => ({
        updateOne: {
          // a row that was saved meanwhile has its values
          filter: { _id: document._id, '_obverse.mark': document._obverse.mark },
          update: { $set: valuesOf(document, form) },
        },
      })),
      { ordered: false },
    )
    last = found.at(-1)?._id
  }
}

function valuesOf(document: RowDocument, form: RowForm): Record<string, string | number | null> {
  const data = dataOf(document, form)
  const value = (field: string) => lookupValue(Object.hasOwn(data, field) ? data[field] : null)
  return Object.fromEntries(Array.from(form.fields.keys(), (field) => [pathOf(field), value(field)]))
}
