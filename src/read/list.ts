import { ObverseError } from '../errors.ts'
import type { AnySchema, OutputOf } from '../message/schema.ts'
import { knownOptions } from '../runtime/options.ts'
import type { ListForm } from './list-form.ts'
import type { View } from './view.ts'

export type { ListForm } from './list-form.ts'

/** A view whose rows are entries of lists, one list for each key. */
export interface List<
  Entry extends object = Record<string, unknown>,
  K extends string = string,
  I extends string = string,
> extends View<Entry, K> {
  readonly list: ListForm<I>
}

type TextField<Entry> = { [F in keyof Entry]-?: Entry[F] extends string ? F : never }[keyof Entry] & string

export interface ListOptions<
  S extends AnySchema,
  K extends TextField<OutputOf<S>>,
  I extends Exclude<TextField<OutputOf<S>>, K>,
> {
  /** Shape of an entry. For types, and for the description of the answer; entries are not checked again. */
  readonly entry: S
  /** The field that says which list an entry is in; a text. */
  readonly key: K
  /** The field that tells the entries of one list apart; a text. */
  readonly id: I
  /** The field that entries are ordered by, and then by `id`. Absent: by `id` alone. */
  readonly order?: keyof OutputOf<S> & string
  /** Default false; `true` turns the order and the id. */
  readonly descending?: boolean
  /**
   * Entries of one list that are given at most, counted from its beginning: pages end there, and so does `count`. What
   * is beyond is kept, because it moves up when an entry before it is removed. Default: all.
   */
  readonly limit?: number
}

/**
 * Declares a list: the ordered form of a view, one list for each key. A timeline.
 *
 * Every entry is a row of its own, touched by events of one key, whatever the key of its list: that of a post may fill
 * the lists of all followers. So duplicates and any order of delivery do to entries what they do to rows: nothing.
 *
 * @example
 * const timelines = list('timelines', { entry: Post, key: 'userId', id: 'postId', order: 'at', descending: true })
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for an unknown option, a `limit` that is no whole number above 0, or one
 * field as `key` and `id`
 */
export function list<
  S extends AnySchema,
  const K extends TextField<OutputOf<S>>,
  const I extends Exclude<TextField<OutputOf<S>>, K>,
>(name: string, options: ListOptions<S, K, I>): List<OutputOf<S>, K, I> {
  knownOptions(`list ${name}`, options, ['entry', 'key', 'id', 'order', 'descending', 'limit'])
  const { entry, key, id, order, descending = false, limit } = options
  for (const [option, field] of Object.entries({ key, id, ...(order !== undefined && { order }) })) {
    if (typeof field !== 'string' || field === '') {
      throw invalid(`${option} of list ${name} is ${JSON.stringify(field)}; give the name of a field`)
    }
  }
  if ((key as string) === id) {
    throw invalid(`key and id of list ${name} are both ${key}; id tells the entries of one list apart`)
  }
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw invalid(`limit of list ${name} is ${limit}; give a whole number above 0`)
  }
  // ordered by id is ordered by row id
  const by = order === undefined || (order as string) === id ? {} : { order }
  return {
    name,
    key,
    lookups: [{ by: [key], ...by, descending }],
    row: entry,
    list: { id, ...(limit !== undefined && { limit }) },
  }
}

function invalid(message: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', message)
}
