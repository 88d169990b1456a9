import { exactText, indexable, mayBeCut, textOf } from './exact-text.ts'

/** Bytes of a row id in an index; an entry has room for 2,704 together. */
const BYTES = 1_000

/** A row id as it is stored; longer ones are cut, and kept whole beside. */
export function storedId(id: string): string {
  return indexable(exactText(id), BYTES)
}

/** The whole id, where {@link storedId} has cut it. */
export function wholeId(id: string, stored: string): string | null {
  if (!mayBeCut(stored)) return null
  const exact = exactText(id)
  return exact === stored ? null : exact
}

export function idOf({ id, whole }: { readonly id: string; readonly whole: string | null }): string {
  return textOf(whole ?? id)
}
