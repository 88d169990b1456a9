import { ObverseError } from '../errors.ts'
import { issueCursor, readCursor } from './cursor.ts'
import { createListReader } from './list-reader.ts'
import { lookupFor } from './lookup.ts'
import type { FindOptions, Page, ReaderOf, SearchOptions, SearchReader, ViewReader } from './page.ts'
import { limitOf, readPage } from './paging.ts'
import { soughtIn } from './search-question.ts'
import type { AnyView, ViewTable } from './view.ts'

/** Reads one view, in the form it has; `table` gives the generation, the same for all reads of one query. */
export function createReader<V extends AnyView>(view: V, table: () => Promise<ViewTable>): ReaderOf<V> {
  const reader = view.list ? createListReader(view, view.list, table) : createRowReader(view, table)
  return reader as unknown as ReaderOf<V>
}

/** Reads the rows of a view that is no list. */
function createRowReader<Row>(
  view: AnyView,
  table: () => Promise<ViewTable>,
): ViewReader<Row> & SearchReader<Row, string> {
  return {
    async get(id) {
      if (typeof id !== 'string') return undefined
      return (await (await table()).get(id)) as Row | undefined
    },
    async find(options = {}) {
      const limit = limitOf(view.name, options.limit)
      const asked = lookupFor(view, options as FindOptions<Record<string, unknown>>)
      const after = options.cursor === undefined ? undefined : readCursor(view.name, asked, options.cursor)
      const rows = await table()
      return readPage<Row>(
        limit,
        after,
        (from, most) => rows.find({ ...asked, limit: most, ...(from && { after: from }) }),
        (place) => issueCursor(view.name, asked, place),
      )
    },
    search: (text, options = {}) => search<Row>(view, table, text, options),
  }
}

async function search<Row>(
  view: AnyView,
  table: () => Promise<ViewTable>,
  text: string,
  options: SearchOptions,
): Promise<Page<Row>> {
  const limit = limitOf(view.name, options.limit)
  const sought = soughtIn(view, text, options)
  if (!sought) return { rows: [] }
  const after = options.cursor === undefined ? undefined : readCursor(view.name, sought, options.cursor)
  const rows = await table()
  return readPage<Row>(
    limit,
    after,
    (from, most) => {
      if (!rows.search) throw searchless(view)
      return rows.search({ ...sought, limit: most, ...(from && { after: { order: Number(from.order), id: from.id } }) })
    },
    (place) => issueCursor(view.name, sought, place),
  )
}

function searchless({ name }: AnyView): ObverseError {
  return new ObverseError(
    'CONFIGURATION_INVALID',
    `View ${name} is searched, but its store has no search and did not say so; let \`lacks\` of the store name it`,
  )
}
