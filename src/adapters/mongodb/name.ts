/** The collections of checkpoints and of the pointers to generations. */
export const CHECKPOINTS = 'obverse_checkpoints'
export const GENERATIONS = 'obverse_generations'

const NO_COLLECTION = /^$|^[so](?<=^s(?=ystem\.)|^o(?=bverse_))|[$@%\0]|[\ud800-\udfff]/gu
const NO_FIELD = /^$|^_(?=bsontype$|_proto__$)|[.$%\0]|[\ud800-\udfff]/gu

/**
 * The collection of a generation: the first is named like its view, the next `NAME@2`, `NAME@3`. Signs of a view's name
 * that a collection cannot have, or that would make two names one, become `%` and their number.
 */
export function collectionName(view: string, generation: number): string {
  const name = view.replace(NO_COLLECTION, escaped)
  return generation === 1 ? name : `${name}@${generation}`
}

/** Which generation of `view` the collection holds; `undefined`: none. */
export function generationIn(collection: string, view: string): number | undefined {
  const generation = Number(/@(\d+)$/.exec(collection)?.[1] ?? 1)
  return collectionName(view, generation) === collection ? generation : undefined
}

/** A field of a look-up as a part of a path, in which dots and dollars mean something. */
export function fieldName(field: string): string {
  return field.replace(NO_FIELD, escaped)
}

function escaped(sign: string): string {
  return sign === '' ? '%' : `%${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}
