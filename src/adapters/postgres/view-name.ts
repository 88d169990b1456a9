import { createHash } from 'node:crypto'

/** Bytes of an encoded name, at most: with what is put before and after it, 63 may not be passed. */
const LONGEST = 32

/** Names of tables begin with it, and end with `_` and the generation. */
export const VIEW_PREFIX = 'obverse_view_'

/**
 * Names of views and fields as PostgreSQL names, always used in quotes: what is neither letter, digit nor underscore becomes
 * its code; what is too long is cut, and ends in `#` and a hash.
 */
function encode(name: string): string {
  const encoded = name.replace(/[^A-Za-z0-9_]/g, (sign) => `~${sign.charCodeAt(0).toString(16)}~`)
  return encoded.length <= LONGEST ? encoded : `${encoded.slice(0, 15)}#${hash(name, 16)}`
}

export function tableName(view: string, generation: number): string {
  return `${VIEW_PREFIX}${encode(view)}_${generation}`
}

/** The column of a look-up field. */
export function columnName(field: string): string {
  return `f_${encode(field)}`
}

/** The column of the words of several fields, told apart by them. */
export function wordsName(fields: readonly string[]): string {
  return `w_${hash(JSON.stringify(fields), 16)}`
}

/** Told apart by what is indexed. */
export function indexName(view: string, generation: number, what: string): string {
  return `obverse_by_${encode(view)}_${generation}_${hash(what, 8)}`
}

/** The generation of a table of `view`, by its name; `undefined`: of another view. */
export function generationIn(table: string, view: string): number | undefined {
  const digits = /_([1-9]\d*)$/.exec(table)?.[1]
  const generation = Number(digits)
  return digits !== undefined && tableName(view, generation) === table ? generation : undefined
}

/** As part of a statement. */
export function quoted(name: string): string {
  return `"${name}"`
}

/** Two names that differ in anything differ here, halves of surrogate pairs included. */
function hash(name: string, length: number): string {
  return createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, length)
}
