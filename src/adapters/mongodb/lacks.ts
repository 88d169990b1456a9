import type { ViewShape } from 'obverse'
import { indexSpecs } from './index-spec.ts'
import { collectionName } from './name.ts'

/** Limits of MongoDB: bytes of `database.collection`, indexes of a collection beside that of `_id`, fields of an index. */
const LONGEST_NAMESPACE = 255
const INDEXES = 63
const INDEX_FIELDS = 32

/** What of `shape` cannot be served in a database of that name, and why. */
export function lacks(shape: ViewShape, database: string): readonly string[] {
  const reasons: string[] = []
  // with room for the number of a generation
  const bytes = Buffer.byteLength(`${database}.${collectionName(shape.name, 1_000)}`)
  if (bytes > LONGEST_NAMESPACE) {
    reasons.push(`its collection would have a name of ${bytes} bytes, and MongoDB takes ${LONGEST_NAMESPACE}`)
  }
  const specs = indexSpecs(shape)
  if (specs.length > INDEXES) {
    reasons.push(`its look-ups need ${specs.length} indexes, and MongoDB has ${INDEXES} for a collection`)
  }
  const wide = specs.find(({ key }) => Object.keys(key).length > INDEX_FIELDS)
  if (wide) {
    const fields = Object.keys(wide.key).length
    reasons.push(`a look-up has an index of ${fields} fields, and MongoDB takes ${INDEX_FIELDS}`)
  }
  if (shape.search) reasons.push(`it keeps no words, so ${shape.search.fields.join(' and ')} cannot be searched`)
  return reasons
}
