import { ObverseError } from '../errors.ts'
import { issueCursor, readCursor } from './cursor.ts'
import { entryRowId, type ListForm } from './list-form.ts'
import { type Asked, onlyLookup } from './lookup.ts'
import type { ListReader } from './page.ts'
import { limitOf, readPage } from './paging.ts'
import type { AnyView, ViewTable } from './view.ts'

/** Rows that are read at once where a store cannot count them. */
const COUNTED = 1_000
/** The bound of a list that has none. */
const NONE: number = Number.POSITIVE_INFINITY

/** Reads the lists of one view. Where they are bounded, a cursor knows how many entries the pages before had. */
export function createListReader<Entry>(
  view: AnyView,
  { limit: bound = NONE }: ListForm,
  table: () => Promise<ViewTable>,
): ListReader<Entry> {
  return {
    async get(key, id) {
      if (typeof key !== 'string' || typeof id !== 'string') return undefined
      return (await (await table()).get(entryRowId(key, id))) as Entry | undefined
    },
    async page(key, options = {}) {
      const limit = limitOf(view.name, options.limit)
      const asked = listOf(view, key)
      const after = options.cursor === undefined ? undefined : readCursor(view.name, asked, options.cursor)
      const given = after?.given ?? 0
      const left = Math.max(0, bound - given)
      const rows = await table()
      const page = await readPage<Entry>(
        Math.min(limit, left),
        after,
        (from, most) =>
          rows.find({ ...asked, limit: most, ...(from && { after: { order: from.order, id: from.id } }) }),
        (place) => issueCursor(view.name, asked, bound === NONE ? place : { ...place, given: given + limit }),
      )
      return limit < left ? page : { rows: page.rows }
    },
    async count(key) {
      const asked = listOf(view, key)
      return Math.min(bound, await sizeOf(await table(), asked, bound))
    },
  }
}

function listOf(view: AnyView, key: unknown): Asked {
  if (typeof key === 'string') return { lookup: onlyLookup(view), equals: [key] }
  throw new ObverseError('VALIDATION_FAILED', `List ${view.name} is asked for the key ${JSON.stringify(key)}`, {
    fields: { [view.key]: ['must be a text'] },
  })
}

async function sizeOf(table: ViewTable, asked: Asked, bound: number): Promise<number> {
  if (table.size) return table.size(asked.lookup, asked.equals)
  let count = 0
  let after: { readonly order: Asked['equals'][number]; readonly id: string } | undefined
  while (count < bound) {
    const found = await table.find({ ...asked, limit: COUNTED, ...(after && { after }) })
    count += found.length
    const last = found.at(-1)
    if (!last || found.length < COUNTED) break
    after = { order: last.order, id: last.id }
  }
  return count
}
