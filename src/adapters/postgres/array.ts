/**
 * Arrays as PostgreSQL sends them itself. As text each quote and backslash of a document would be escaped here and taken
 * out again there: half as many rows per second.
 */

/** Object ids of element types, which no version changes. */
export const BIGINT = 20
export const INTEGER = 23
const TEXT = 25
const JSON_TEXT = 114

/** Bytes before the first element. */
export const HEAD = 20
/** The length of a null. */
const NULL = -1

export function texts(values: readonly (string | null)[]): Buffer {
  return textArray(values, TEXT)
}

/** Texts that are JSON, as `json[]`. */
export function documents(values: readonly (string | null)[]): Buffer {
  return textArray(values, JSON_TEXT)
}

export function bigints(values: readonly (number | null)[]): Buffer {
  const array = Buffer.allocUnsafe(HEAD + 12 * values.length)
  let at = head(array, BIGINT, values.length)
  for (const value of values) {
    if (value === null) {
      at = array.writeInt32BE(NULL, at)
      continue
    }
    at = array.writeInt32BE(8, at)
    at = array.writeInt32BE(Math.floor(value / 0x1_0000_0000), at)
    at = array.writeUInt32BE((value % 0x1_0000_0000) >>> 0, at)
  }
  return at === array.length ? array : array.subarray(0, at)
}

export function integers(values: readonly number[]): Buffer {
  const array = Buffer.allocUnsafe(HEAD + 8 * values.length)
  let at = head(array, INTEGER, values.length)
  for (const value of values) {
    at = array.writeInt32BE(4, at)
    at = array.writeInt32BE(value, at)
  }
  return array
}

/** The first eight bytes of each, as `bigint[]`. */
export function hashes(values: readonly Buffer[]): Buffer {
  const array = Buffer.allocUnsafe(HEAD + 12 * values.length)
  let at = head(array, BIGINT, values.length)
  for (const value of values) {
    at = array.writeInt32BE(8, at)
    at += value.copy(array, at, 0, 8)
  }
  return array
}

function textArray(values: readonly (string | null)[], type: number): Buffer {
  let size = HEAD + 4 * values.length
  for (const value of values) if (value !== null) size += Buffer.byteLength(value)
  const array = Buffer.allocUnsafe(size)
  let at = head(array, type, values.length)
  for (const value of values) {
    const length = value === null ? NULL : array.write(value, at + 4)
    array.writeInt32BE(length, at)
    at += 4 + Math.max(0, length)
  }
  return array
}

/** One dimension, from 1, in which there may be nulls. An empty array has none, and ends before its length. */
function head(array: Buffer, type: number, length: number): number {
  array.writeInt32BE(1, 0)
  array.writeInt32BE(1, 4)
  array.writeInt32BE(type, 8)
  array.writeInt32BE(length, 12)
  return array.writeInt32BE(1, 16)
}
