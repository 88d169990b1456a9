import type { StoredRow } from './view.ts'

/**
 * Ids that begin with this character belong to marks, never to rows of an application.
 *
 * The mark of a key says: every event of the key that this projection handles, up to this seq, is in the view. It is
 * held by the row whose id is the key itself, if there is one of that key, and by a hidden row otherwise. Rows of the
 * key are saved before their mark, so that it never promises too much; to believe in a lower mark is always safe.
 */
export const HIDDEN = '\u0001'

/** In a gathering view that is filled inline: everything up to its mark is in, whoever applied it. */
export const HIGH_WATER: string = HIDDEN

export function hiddenId(key: string): string {
  return HIDDEN + key
}

/** The ids under which the mark of `key` may be found. */
export function markIds(key: string): readonly [string, string] {
  return [key, HIDDEN + key]
}

/** The mark of `key` among `rows`; 0: none of its events is in. */
export function markOf(key: string, rows: { get(id: string): StoredRow | undefined }): number {
  const own = rows.get(key)
  const hidden = rows.get(HIDDEN + key)
  return Math.max(own?.key === key ? own.mark : 0, hidden?.key === key ? hidden.mark : 0)
}
